/* Makes every file a page longer. */
static void grow_files(void)
{
	for (int file = 0; file < FILES; file++)
		if (ftruncate(fd[file], size_now(file) + PAGE))
			wrong("ftruncate of %s failed: %s", names[file], strerror(errno));
}

