/* Every instruction of a refusal is skipped once, and nothing changes.
 *
 * A dip of the supply can make a microcontroller skip an instruction, and a
 * branch among them. Here each bundle that must be refused meets the tiny
 * chip, and the processor's trap flag stops the run at every instruction of
 * core/rotate.c and of what it calls. At each stop the process forks: the
 * copy goes on behind the instruction, as if it had not been there. A copy
 * that crashes or hangs has changed nothing; one that has the chip change slot
 * 14 has failed the test, and so has one that moves the counter by more than
 * one: a read of it that turns into a count loses a number, and no key.
 *
 * The chip and the hash are not the subject: they stand for hardware. An
 * instruction that comes again and again is skipped the first OFTEN times.
 * What x86 instructions show is evidence for the source, not for the code of
 * another processor. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/core/tiny_chip.h"

#define STEPS_MAX 200000u
#define OFTEN     24u
#define TRAP_FLAG 0x100
#define CHANGED   42 /* exit code of a copy */

/* The text of this program; the C library is not the subject either. */
extern const uint8_t _start[];
extern const uint8_t etext[];

struct step {
    uintptr_t at;
    bool is_subject;
};

static struct step *steps; /* of a run without a fault */
static unsigned step_count;
static volatile sig_atomic_t in_hardware;
static volatile sig_atomic_t is_copy;

static enum { RECORD, SKIP } mode;
static unsigned at_step;
static unsigned *occurrences; /* by offset in the text */
static unsigned skipped;
static unsigned failures;

static struct kw_tiny_scene scene;

/* --- hardware ---------------------------------------------------------- */

static struct kw_link tiny_link;
static uint32_t counter_before;

static bool is_changed(void) {
    return scene.tiny.changed || scene.tiny.counter > counter_before + 1;
}

static kw_status transfer(void *self, const uint8_t *packet, size_t packet_size,
                          uint8_t *response, size_t capacity,
                          size_t *response_size) {
    in_hardware = 1;
    const kw_status status = tiny_link.ops->transfer(
        self, packet, packet_size, response, capacity, response_size);
    if (is_copy && is_changed()) {
        _exit(CHANGED);
    }
    in_hardware = 0;
    return status;
}

static kw_status nothing(void *self) {
    (void)self;
    return KW_OK;
}

static const struct kw_link_ops OPS = {nothing, nothing, nothing, transfer,
                                       NULL};

/* No hash, but short: what it is must only be the same twice. */
static kw_status mix(void *self, const struct kw_span *spans, size_t count,
                     uint8_t digest[KW_SHA256_SIZE]) {
    (void)self;
    in_hardware = 1;
    memset(digest, 1, KW_SHA256_SIZE);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *data = spans[i].data;
        for (size_t k = 0; k < spans[i].size; k++, at++) {
            uint8_t *byte = &digest[at % KW_SHA256_SIZE];
            *byte = (uint8_t)(*byte * 31 + data[k]);
        }
    }
    in_hardware = 0;
    return KW_OK;
}

static const struct kw_hash MIX = {mix, NULL};

/* --- what must be refused ------------------------------------------------ */

static void wrong_signature(void) {
    scene.tiny.bad_parameter = 0x20; /* Verify(Stored) */
}

static void wrong_new_pair(void) {
    wrong_signature();
    scene.tiny.bad_skip = 1;
}

static void wrong_old_invalidate(void) {
    wrong_signature();
    scene.tiny.bad_skip = 2;
}

static void wrong_old_validate(void) {
    wrong_signature();
    scene.tiny.bad_skip = 3;
}

static void wrong_proof(void) {
    scene.tiny.bad_parameter = 0x22; /* Verify(External) */
}

static void another_serial(void) {
    scene.tiny.config[2] ^= 1;
}

static void another_configuration(void) {
    scene.tiny.config[KW_CONFIG_SLOT_CONFIG] ^= 1;
}

static void another_old_key(void) {
    scene.tiny.slot[40] ^= 1;
}

static void replayed(void) {
    scene.tiny.counter = KW_TINY_SEQUENCE;
}

/* One further than a count by mistake would bring into reach. */
static void far_ahead(void) {
    scene.tiny.counter = 0;
    scene.content.sequence = KW_ROTATE_AHEAD + 2;
}

/* Where nothing needs to be invalidated first. */
static void written_before(void) {
    kw_tiny_put_key(&scene, scene.new_key, 0xA0);
    wrong_new_pair();
}

/* Where only the count is left. */
static void validated_before(void) {
    kw_tiny_put_key(&scene, scene.new_key, 0x50);
    wrong_proof();
    scene.tiny.counter = 0;
}

static void nothing_wrong(void) {
}

struct refusal {
    const char *name;
    void (*spoil)(void);
};

static const struct refusal REFUSALS[] = {
    {"the bundle's signature", wrong_signature},
    {"the pair of the new key", wrong_new_pair},
    {"the pair that invalidates", wrong_old_invalidate},
    {"the pair that validates the old key", wrong_old_validate},
    {"the proof", wrong_proof},
    {"another serial", another_serial},
    {"another configuration", another_configuration},
    {"another old key", another_old_key},
    {"a replay", replayed},
    {"a sequence far ahead", far_ahead},
    {"the pair of a key that is written", written_before},
    {"the proof of a key that is validated", validated_before},
};

static bool prepare(void (*spoil)(void)) {
    static uint8_t digest[KW_SHA256_SIZE];
    const bool set = kw_tiny_set(&scene);
    const struct kw_configuration configuration =
        kw_configuration_of(scene.tiny.config);
    if (!set ||
        kw_configuration_digest(&MIX, &configuration, digest) != KW_OK) {
        return false;
    }
    tiny_link = scene.chip.link;
    kw_chip_init(&scene.chip, (struct kw_link){&OPS, tiny_link.self});
    scene.rotate.hash = &MIX;
    scene.content.configuration_digest = digest;
    scene.tiny.bad_left = KW_TINY_NEVER;
    spoil();
    counter_before = scene.tiny.counter;
    return kw_tiny_encode(&scene);
}

/* --- the length of an instruction ----------------------------------------
 */

/* Of an instruction that may go elsewhere than behind itself, by its opcode
 * (Intel SDM volume 2, appendix A); 0: it is none of these. */
static unsigned branch_length(const uint8_t *at) {
    const uint8_t *from = at;
    while (*at == 0x3E || *at == 0xF2 || *at == 0xF3 || (*at & 0xF0) == 0x40) {
        at++;
    }
    const unsigned prefixes = (unsigned)(at - from);
    if ((*at & 0xF0) == 0x70 || *at == 0xEB || *at == 0xE3) {
        return prefixes + 2;
    }
    if (*at == 0xE8 || *at == 0xE9) {
        return prefixes + 5;
    }
    if (*at == 0x0F && (at[1] & 0xF0) == 0x80) {
        return prefixes + 6;
    }
    if (*at == 0xC3) {
        return prefixes + 1;
    }
    const unsigned kind = at[1] >> 3 & 7;
    if (*at != 0xFF || kind < 2 || kind > 5) {
        return 0;
    }
    const unsigned mod = at[1] >> 6;
    const unsigned rm = at[1] & 7;
    const unsigned sib = mod != 3 && rm == 4 ? 1 : 0;
    const unsigned wide = mod == 2 || (mod == 0 && rm == 5) ? 4 : 0;
    return prefixes + 2 + sib + (mod == 1 ? 1 : wide);
}

/* 0: it cannot be told, as of one that repeats itself. */
static unsigned length_of(unsigned step) {
    const uint8_t *at = _start + (steps[step].at - (uintptr_t)_start);
    const unsigned branch = branch_length(at);
    if (branch > 0 || step + 1 == step_count) {
        return branch;
    }
    const uintptr_t length = steps[step + 1].at - steps[step].at;
    return length > 0 && length <= 15 ? (unsigned)length : 0;
}

/* --- the trap -------------------------------------------------------------
 */

static bool in_text(uintptr_t at) {
    return at >= (uintptr_t)_start && at < (uintptr_t)etext;
}

static void record(uintptr_t at) {
    if (step_count < STEPS_MAX) {
        steps[step_count++] =
            (struct step){.at = at, .is_subject = in_text(at) && !in_hardware};
    }
}

static bool is_wanted(unsigned step) {
    return steps[step].is_subject && length_of(step) > 0 &&
           occurrences[steps[step].at - (uintptr_t)_start]++ < OFTEN;
}

/* Answers in the copy alone, which goes on without the instruction. */
static bool fork_without(void) {
    int status = 0;
    const pid_t copy = fork();
    if (copy == 0) {
        is_copy = 1;
        (void)alarm(2);
        return true;
    }
    if (copy < 0 || waitpid(copy, &status, 0) != copy) {
        _exit(1);
    }
    skipped++;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHANGED) {
        failures++;
        (void)printf("    without the instruction at +%#lx the chip was "
                     "changed\n",
                     (unsigned long)(steps[at_step].at - (uintptr_t)_start));
        (void)fflush(stdout);
    }
    return false;
}

static void on_trap(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    (void)number;
    (void)info;
    greg_t *registers = user->uc_mcontext.gregs;
    if (is_copy) {
        _exit(0); /* it ran into the padding between two functions */
    }
    if (mode == RECORD) {
        record((uintptr_t)registers[REG_RIP]);
        return;
    }
    if (at_step < step_count && is_wanted(at_step) && fork_without()) {
        registers[REG_RIP] += length_of(at_step);
        registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
        return;
    }
    at_step++;
}

static void set_trap_flag(bool on) {
    if (on) {
        __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::
                             : "memory", "cc");
    } else {
        __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::
                             : "memory", "cc");
    }
}

static kw_status attempt(void) {
    enum kw_rotate_position position = KW_ROTATE_READY;
    set_trap_flag(true);
    const kw_status status = kw_rotate_run(&scene.rotate, &position);
    set_trap_flag(false);
    if (is_copy) {
        _exit(is_changed() ? CHANGED : 0);
    }
    return status;
}

/* --- the campaign --------------------------------------------------------- */

static bool is_refused(kw_status status) {
    return kw_status_class(status) == KW_CLASS_NO && !is_changed();
}

static bool skip_everywhere(const struct refusal *refusal) {
    const unsigned before = skipped;
    memset(occurrences, 0, (size_t)(etext - _start) * sizeof *occurrences);
    mode = RECORD;
    step_count = 0;
    if (!prepare(refusal->spoil) || !is_refused(attempt())) {
        (void)printf("%s is not refused\n", refusal->name);
        return false;
    }
    mode = SKIP;
    at_step = 0;
    if (!prepare(refusal->spoil) || !is_refused(attempt()) ||
        step_count == STEPS_MAX || skipped - before < 300) {
        (void)printf("%s cannot be run twice alike\n", refusal->name);
        return false;
    }
    (void)printf("%-38s %u instructions, %u skips\n", refusal->name, step_count,
                 skipped - before);
    (void)fflush(stdout);
    return true;
}

static void catch_traps(void) {
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)sigaction(SIGTRAP, &action, NULL);
}

int main(void) {
    bool fine = prepare(nothing_wrong);
    enum kw_rotate_position position = KW_ROTATE_READY;
    fine = fine && kw_rotate_run(&scene.rotate, &position) == KW_OK &&
           scene.tiny.changed; /* what is looked for can be seen */
    steps = calloc(STEPS_MAX, sizeof *steps);
    occurrences = calloc((size_t)(etext - _start), sizeof *occurrences);
    if (!fine || steps == NULL || occurrences == NULL) {
        (void)printf("cannot begin\n");
        return 1;
    }
    catch_traps();
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        fine = skip_everywhere(&REFUSALS[i]) && fine;
    }
    (void)printf("%u skips, %u changed the chip\n", skipped, failures);
    return fine && failures == 0 ? 0 : 1;
}
