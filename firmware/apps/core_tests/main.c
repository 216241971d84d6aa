/* Runs tests/core on the microcontroller; results on the UART. The last
 * line reads "N passed, N failed". */
#include "firmware/boards/board.h"
#include "tests/core/cases.h"

static void put_number(unsigned number) {
    char digits[11];
    char *first = &digits[sizeof digits - 1];
    *first = '\0';
    do {
        *--first = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    kw_board_put(first);
}

static void report(const struct kw_subject *subject,
                   const struct kw_case *which, const char *wrong) {
    kw_board_put(wrong == NULL ? "ok   " : "FAIL ");
    kw_board_put(subject->name);
    kw_board_put("/");
    kw_board_put(which->name);
    if (wrong != NULL) {
        kw_board_put(": ");
        kw_board_put(wrong);
    }
    kw_board_put("\n");
}

int main(void) {
    const struct kw_case_totals totals = kw_cases_run(report);
    kw_board_put("stack: ");
    put_number((unsigned)kw_board_stack_used());
    kw_board_put(" bytes\n");
    put_number(totals.passed);
    kw_board_put(" passed, ");
    put_number(totals.failed);
    kw_board_put(" failed\n");
    return totals.passed > 0 && totals.failed == 0 ? 0 : 1;
}
