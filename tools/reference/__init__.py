"""The pages of the documentation that are made from the code and from the examples.

`make reference` writes those of the settings, problems, AADSTS codes and commands into `docs/reference`. They are
committed, so that a checkout has them. The pages of the examples are made while mkdocs builds: a checkout has the
examples themselves.
"""
