"""Made-up agencies: valid yearly reports with known figures, every layout, and portals to serve them.

Nothing here reads a report; what is right is known because it was made here, never because a reader said so.
"""
