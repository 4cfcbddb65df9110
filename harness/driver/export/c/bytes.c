/* A buffer of that many bytes, all with this value. */
static unsigned char *bytes(size_t len, int value)
{
	unsigned char *source = malloc(len ? len : 1);

	if (!source)
		cannot("memory");
	memset(source, value, len);
	return source;
}

