"""An orphan: a word about a case that is not known here, kept until its case is found (RET-20)."""
