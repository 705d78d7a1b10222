"""What a code means, as data and as text."""

from __future__ import annotations

from textwrap import dedent, fill, indent

from credconf.ground.records import record

_WIDTH = 80


@record
class Explanation:
    """A code in words.

    Attributes:
        title: one line, in lower case, without a full stop.
        text: one or more paragraphs: what it means, why it is said, what to do. Line breaks inside one mean nothing.
        wrong: a small example that has the problem; empty where none would help.
        right: the same, mended.
    """

    title: str
    text: str
    wrong: str = ""
    right: str = ""

    def shown(self, code: str) -> str:
        """The explanation under its code, for a terminal of 80 columns."""
        examples = [
            f"{word}:\n\n{indent(dedent(example).strip(), '    ')}"
            for word, example in (("Wrong", self.wrong), ("Right", self.right))
            if example
        ]
        return "\n\n".join([f"{code}: {self.title}", paragraphs(self.text), *examples])


def paragraphs(text: str) -> str:
    """A text in lines of at most 80 columns; an empty line parts two paragraphs, other line breaks mean nothing."""
    return "\n\n".join(
        fill(" ".join(part.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in text.split("\n\n")
    )
