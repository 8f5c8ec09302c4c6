"""Tables and figures of what has been measured."""
