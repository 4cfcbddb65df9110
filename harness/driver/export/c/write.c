/* A write whose source has `asked` bytes, of which `readable` can be read; -1: nobody knows. */
static void wrote(int call, const char *what, ssize_t result, long long asked, long long readable)
{
	long long pos = effects[call].pos;

	told(what, result);
	if (result < 0 && !(readable < asked && errno == EFAULT) && errno != ENOSPC)
		wrong("%s failed: %s", what, strerror(errno));
	if (0 <= readable &&
	    (readable < result || (0 <= result && result < asked && readable == asked)))
		wrong("%s returned %zd, and %lld bytes could be read", what, result, readable);
	ended_with(call, pos, pos + (0 < result ? result : 0));
}

