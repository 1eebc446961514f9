"""The whole of what a site published as a folder of plain files, and the way back. docs/archive.md is the format."""
