"""What can be done with a draft besides writing it."""

from __future__ import annotations


class WorkflowMixin:
    """Pages and buttons of the workflow on the change form of a draft."""
