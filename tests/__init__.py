"""A package, for a dependency of the tests brings a folder of this name too."""
