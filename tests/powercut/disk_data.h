/* tests/powercut/disk_data.h: what files held since their last flush.
 * Part of disk.h; a file is known by its inode, however it was opened. */
#ifndef KW_TESTS_POWERCUT_DISK_DATA_H
#define KW_TESTS_POWERCUT_DISK_DATA_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process: the layer cannot follow. */
_Noreturn void disk_give_up(const char *why, const char *what);

/* Memory or the end of the process. */
void *disk_allocate(void *old, size_t size);

/* All files count as flushed. */
void disk_data_start(void);

/* To be called before the first change, while the old content is there. */
void disk_data_before(int fd);
void disk_data_wrote(int fd, uint64_t offset, const void *bytes, size_t size);
void disk_data_truncated(int fd, uint64_t size);
void disk_data_flushed(int fd);

/* Makes each file hold what the disk would. */
void disk_data_cut(uint64_t seed, uint64_t *random);

#endif
