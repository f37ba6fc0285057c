"""Mail: letters rendered from templates, and sent once per event (NTF-1)."""
