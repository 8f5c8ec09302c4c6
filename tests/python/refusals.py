"""What a refusal must look like."""

import re

import pytest


def assert_raises(exception, pattern, call, op="hitgraph::"):
    with pytest.raises(exception) as caught:
        call()
    message = str(caught.value)
    first = message.splitlines()[0]
    assert re.search(pattern, first), message
    if "unexpected" not in pattern:
        assert op in first, message
    return message
