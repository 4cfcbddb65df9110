#include <sys/vfs.h>

/* Whether these bytes lie within the file, so that they could be stored. */
static int stored(unsigned char *to, int value, size_t len)
{
	if (sigsetjmp(back, 1))
		return 0;
	memset(to, value, len);
	return 1;
}

/* Stores this value through the mapping, page by page, as far as the file goes. */
static void store(const char *what, int file, long long pos, long long len, int value)
{
	int call = begins((struct effect){
		.file = file, .pos = pos, .end = pos + len, .value = value, .stores = 1
	});
	long long done = 0, size;

	size = size_now(file);
	pthread_mutex_lock(&lock);
	effects[call].inside = size;
	pthread_mutex_unlock(&lock);
	while (done < len) {
		long long some = PAGE - (pos + done) % PAGE;

		if (len - done < some)
			some = len - done;
		if (!stored(map[file] + pos + done, value, some))
			break;
		done += some;
	}
	told(what, done);
	ended_with(call, pos, pos + done);
}

