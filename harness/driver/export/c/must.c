/* A call that leaves bytes and size as they are. */
static void must(const char *what, int result)
{
	told(what, result);
//- if collides
	/* Pages that others brought in beside a call past the cache make a sync fail once. */
	if (result && errno == EIO)
		return;
//- end
	if (result && errno == EOPNOTSUPP)
		cannot(what);
	if (result)
		wrong("%s failed: %s", what, strerror(errno));
}

