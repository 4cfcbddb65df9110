/* Bytes that were taken from a file, as many as the call says. */
static void copied(int call, const char *what, ssize_t result)
{
	long long pos = effects[call].pos, done = 0 < result ? result : 0;
	int is_known = 0 <= result || errno == EINVAL;

	told(what, result);
	if (result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EXDEV))
		cannot(what);
	if (result < 0 && !no_space() && !(errno == EINVAL && effects[call].refuses))
		wrong("%s failed: %s", what, strerror(errno));
	/* One that failed on the way may have copied a part: nobody knows, as if it were under way. */
	if (is_known)
		ended_with(call, pos, pos + done);
}

