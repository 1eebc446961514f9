"""What this room tells the others, which it does not know."""

from django.dispatch import Signal

# What the public sees has changed, and is committed. Receivers must be quick; one that fails does not stop the others.
public_changed = Signal()
