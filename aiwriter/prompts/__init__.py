"""The instructions that models get: one file each, with a version, known by their digest in every audit row."""
