/* Whether these bytes lie within the file, so that they could be loaded. */
static int loaded(unsigned char *to, const unsigned char *from, size_t len)
{
	if (sigsetjmp(back, 1))
		return 0;
	memcpy(to, from, len);
	return 1;
}

/* Loads through the mapping, as far as the file goes, and judges what was seen. */
static void load(const char *what, int file, long long pos, long long len)
{
	struct look look = looks(file, pos, len);
	long long done = 0;

	while (done < look.inside) {
		long long some = PAGE - (pos + done) % PAGE;

		if (look.inside - done < some)
			some = look.inside - done;
		if (!loaded(look.bytes + done, map[file] + pos + done, some))
			break;
		done += some;
	}
	saw(what, &look, done);
}

