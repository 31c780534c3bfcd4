"""Gender labels for a data set without them.

Several networks where they agree, a person where they do not.
"""
