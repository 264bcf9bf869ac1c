"""The warehouse's counts once more, from the raw topics alone.

A batch program that shares no code with the project: it imports nothing of ``streams``. It reads the topics with a plain
consumer and the published ``schemas/*.avsc``, the registers of codes as the YAML files they are, and counts in memory.
"""
