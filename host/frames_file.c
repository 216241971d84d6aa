#include "host/frames_file.h"

#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* A line without its comment and the blanks around it. */
struct line {
    const char *text;
    size_t size;
};

static void trim(struct line *line) {
    const char *comment = memchr(line->text, '#', line->size);
    if (comment != NULL) {
        line->size = (size_t)(comment - line->text);
    }
    while (line->size > 0 && is_blank(line->text[line->size - 1])) {
        line->size--;
    }
    while (line->size > 0 && is_blank(line->text[0])) {
        line->text++;
        line->size--;
    }
}

static bool next_line(struct kw_frames_file *file, struct line *line) {
    while (file->at < file->size) {
        const char *start = file->text + file->at;
        const size_t left = file->size - file->at;
        const char *end = memchr(start, '\n', left);
        const size_t size = end == NULL ? left : (size_t)(end - start);
        file->at += size + (end == NULL ? 0 : 1);
        file->line++;
        *line = (struct line){start, size};
        trim(line);
        if (line->size > 0) {
            return true;
        }
    }
    return false;
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static kw_status read_bytes(struct line line, struct kw_recorded *frame) {
    for (size_t i = 0; i < line.size; i++) {
        if (is_blank(line.text[i])) {
            continue;
        }
        const int high = digit_of(line.text[i]);
        const int low = i + 1 < line.size ? digit_of(line.text[i + 1]) : -1;
        KW_ENSURE(high >= 0 && low >= 0, KW_PARSE);
        KW_ENSURE(frame->size < sizeof frame->bytes, KW_PARSE_SIZE);
        frame->bytes[frame->size++] = (uint8_t)(high * 16 + low);
        i++;
    }
    return frame->size > 0 ? KW_OK : KW_PARSE;
}

static const struct {
    const char *word;
    enum kw_recorded_kind kind;
} WORDS[] = {
    {"wake", KW_RECORDED_WAKE},
    {"idle", KW_RECORDED_IDLE},
    {"sleep", KW_RECORDED_SLEEP},
};

static kw_status read_frame(struct line line, struct kw_recorded *frame) {
    for (size_t i = 0; frame->to_chip && i < sizeof WORDS / sizeof *WORDS;
         i++) {
        if (strlen(WORDS[i].word) == line.size &&
            memcmp(WORDS[i].word, line.text, line.size) == 0) {
            frame->kind = WORDS[i].kind;
            return KW_OK;
        }
    }
    return read_bytes(line, frame);
}

kw_status kw_frames_next(struct kw_frames_file *file,
                         struct kw_recorded *frame) {
    struct line line;
    KW_ENSURE(next_line(file, &line), KW_NO);
    const char direction = line.text[0];
    KW_ENSURE(direction == '>' || direction == '<', KW_PARSE);
    *frame = (struct kw_recorded){
        .line = file->line,
        .to_chip = direction == '>',
    };
    line.text++;
    line.size--;
    trim(&line);
    return read_frame(line, frame);
}
