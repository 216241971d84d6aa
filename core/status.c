#include "core/status.h"

const char *kw_status_text(kw_status status) {
#define KW_STATUS_CASE(name, class_, reason, words)                            \
    case name:                                                                 \
        return words;
    switch (status) { KW_STATUS_TABLE(KW_STATUS_CASE) }
#undef KW_STATUS_CASE
    return kw_status_is_refusal(status) ? "the chip refuses the command"
                                        : "unknown status";
}
