/* A call that leaves bytes and size as they are. */
static void must(const char *what, int result)
{
	told(what, result);
	if (result)
		wrong("%s failed: %s", what, strerror(errno));
}

