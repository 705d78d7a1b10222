"""The explanations of codes, as `credconf explain` prints them: one module for each family of problems."""

from __future__ import annotations

from textwrap import dedent, fill, indent

from credconf.ground.records import record

_WIDTH = 80


@record
class Explanation:
    """The explanation of a code.

    Attributes:
        title: one line, in lower case, without a full stop.
        text: one or more paragraphs: the meaning, the usual causes, the fix. Line breaks inside one mean nothing.
        wrong: a small example that has the problem; empty if an example does not help.
        right: the corrected example.
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
    """Wrap text to 80 columns. An empty line separates paragraphs; other line breaks mean nothing."""
    return "\n\n".join(
        fill(" ".join(part.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in text.split("\n\n")
    )
