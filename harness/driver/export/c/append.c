/* The same of an append, which begins wherever the file ended. */
static void appended(int call, const char *what, int file_at_end, ssize_t result, long long asked,
		     long long readable)
{
	if (0 < result)
		effects[call].pos = lseek(file_at_end, 0, SEEK_CUR) - result;
	else
		effects[call].pos = 0;
	effects[call].size = LLONG_MAX;
	wrote(call, what, result, asked, readable);
}

