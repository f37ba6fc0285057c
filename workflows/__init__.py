"""What happens, in which order, until when. One file per workflow; `run` reads like the procedure.

This file imports nothing: the sandbox imports it, and the workflow's own file, anew for each case.
"""
