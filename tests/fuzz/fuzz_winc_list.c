/* The certificate list, as JSON and as a C array: what is taken is within
 * its limits. */
#include "host/winc/ota_list.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct kw_ota_list list;
    struct kw_error error;
    if (kw_ota_list_parse((const char *)data, size, NULL, &list, &error) !=
        KW_OK) {
        return 0;
    }
    FUZZ_DEMAND(!list.is_signed); /* without an authority nothing is */
    FUZZ_DEMAND(list.count > 0 && list.count <= KW_OTA_FILES_MAX);
    for (size_t i = 0; i < list.count; i++) {
        const struct kw_ota_file *file = &list.file[i];
        FUZZ_DEMAND(strlen(file->name) < KW_OTA_NAME_MAX);
        FUZZ_DEMAND(strchr(file->name, '/') == NULL);
        FUZZ_DEMAND(file->chain <= list.count - i);
    }
    return 0;
}
