"""The authoring API: journeys as Python workflows, on the same ground as the interpreter of YAML journeys.

`sojourn.journey` and `sojourn.Event` are its public face.
"""
