/* The same of an append, which begins wherever the file ended. */
static void appended(int call, const char *what, int file_at_end, ssize_t result, long long asked,
		     long long readable)
{
	int error = errno;

	pthread_mutex_lock(&lock);
	effects[call].pos = 0 < result ? lseek(file_at_end, 0, SEEK_CUR) - result : 0;
	effects[call].size = LLONG_MAX;
	pthread_mutex_unlock(&lock);
	errno = error;
	wrote(call, what, result, asked, readable);
}

