"""工簿 Gongbu: the server of a construction site's record book."""
