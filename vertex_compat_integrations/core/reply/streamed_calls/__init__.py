"""The calls of one streamed answer, from pieces in the different formats of the servers."""
