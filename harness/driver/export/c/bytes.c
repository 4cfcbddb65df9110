/* So many bytes, all with this value, at the beginning of a page. */
static unsigned char *bytes(size_t len, int value)
{
	void *source;

	if (posix_memalign(&source, PAGE, len ? len : 1))
		cannot("memory");
	memset(source, value, len);
	return source;
}

