/* main.c: the table of nouns. */
#include "cli/program.h"

int main(int argc, char **argv) {
    const struct kw_noun nouns[] = {
        kw_noun_init, kw_noun_chip,     kw_noun_resources,  kw_noun_rotate,
        kw_noun_keys, kw_noun_board,    kw_noun_certs,      kw_noun_winc,
        kw_noun_ota,  kw_noun_manifest, kw_noun_primitives, kw_noun_lab,
    };
    return kw_program_main(argc, argv, nouns, sizeof nouns / sizeof *nouns);
}
