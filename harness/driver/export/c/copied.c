/* Bytes that were taken from a file, as many as the call says. */
static void copied(int call, const char *what, ssize_t result)
{
	long long pos = effects[call].pos, done = 0 < result ? result : 0;

	told(what, result);
	if (result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EXDEV))
		cannot(what);
	if (result < 0 && !no_space() && !(errno == EINVAL && effects[call].refuses))
		wrong("%s failed: %s", what, strerror(errno));
	ended_with(call, pos, pos + done);
}

