"""One module for each format that old articles come in."""
