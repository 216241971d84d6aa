# bash completion for keywright(1)                         -*- shell-script -*-
#
# What there is to complete is asked of the program itself: its help is made
# from the tables that it parses a line by, so no noun, verb, option or word
# is repeated here.

_keywright_help() { # [NOUN [VERB]]
    "${COMP_WORDS[0]/#\~/$HOME}" help "$@" 2>/dev/null
}

# The first words below "Nouns:" or "Verbs:" of a help text on stdin.
_keywright_names() {
    sed -n '/^[NV][a-z]*s:$/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'
}

# The options of a help text on stdin, each with what the help calls its
# value: "--output FILE".
_keywright_options() {
    sed -nE 's/^  (-., )?(--[a-z0-9-]+)( [^ ]+)?.*/\2\3/p'
}

# What the help text of a verb calls the operand that comes after these words,
# without brackets.
_keywright_operand() { # HELP WORDS...
    local usage=${1%%$'\n'*} next=$(($# - 1)) names
    usage=${usage#"Usage: keywright "}
    usage=${usage%% --*}
    read -ra names <<<"${usage%% \[options\]*}"
    if [ "$next" -ge "${#names[@]}" ] && [[ $usage == *...* ]]; then
        next=$((${#names[@]} - 1))
    fi
    printf '%s\n' "${names[next]:-NONE}" | tr -d '[].'
}

# The workspace that the words so far choose.
_keywright_workspace() {
    local i
    for ((i = 1; i < ${#COMP_WORDS[@]} - 1; i++)); do
        if [ "${COMP_WORDS[i]}" = --workspace ]; then
            printf '%s\n' "${COMP_WORDS[i + 1]}"
            return
        fi
    done
    printf '%s\n' "${KEYWRIGHT_WORKSPACE:-./keywright.d}"
}

_keywright_links() {
    local image
    for image in "$(_keywright_workspace)"/chips/*.chip; do
        [ -e "$image" ] || continue
        image=${image##*/}
        printf 'sim:%s\n' "${image%.chip}"
    done
    printf '%s\n' unix: fleet: tcp:127.0.0.1:8608 kit: hid: i2c: swi:
}

# SERIAL folders; then generations, as numbers without leading zeros.
_keywright_serials() {
    local folder
    for folder in "$(_keywright_workspace)"/keys/*/prototype-0001; do
        [ -d "$folder" ] || continue
        folder=${folder%/*}
        printf '%s\n' "${folder##*/}"
    done
}

_keywright_generations() { # SERIAL
    local folder
    for folder in "$(_keywright_workspace)/keys/$1"/prototype-*; do
        [ -d "$folder" ] || continue
        printf '%d\n' "$((10#${folder##*-}))"
    done
}

_keywright_reply() { # WORDS CURRENT
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_keywright_paths() { # KIND CURRENT
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

# Completes what the help calls by this name.
_keywright_value() { # NAME CURRENT BEFORE
    case $1 in
    DIR | FOLDER) _keywright_paths -d "$2" ;;
    FILE* | PATH* | *json | RECORDS | SCRIPT | LIST | CERTIFICATE | \
        COMPRESSED | KEY | URI | SOCKET | PREFIX)
        _keywright_paths -f "$2"
        ;;
    ZONE) _keywright_reply "config otp $(echo {0..15})" "$2" ;;
    SLOT) _keywright_reply "$(echo {0..15})" "$2" ;;
    SERIAL) _keywright_reply "$(_keywright_serials)" "$2" ;;
    GENERATION) _keywright_reply "$(_keywright_generations "$3")" "$2" ;;
    *[A-Z]*) ;;
    *) _keywright_reply "${1//|/ }" "$2" ;;
    esac
}

_keywright() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local plain=() helps='' text options names value word i
    COMPREPLY=()

    # Bash takes ':' for a word of its own: put a link together again.
    if [ "$cur" = : ]; then
        cur=$prev: prev=${COMP_WORDS[COMP_CWORD - 2]}
    elif [ "$prev" = : ] && [ "$COMP_CWORD" -ge 3 ]; then
        cur=${COMP_WORDS[COMP_CWORD - 2]}:$cur
        prev=${COMP_WORDS[COMP_CWORD - 3]}
    fi
    # And '=' too: --option=value.
    if [ "$cur" = = ]; then
        cur=''
    elif [ "$prev" = = ]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    # The words so far that are neither options nor their values. Noun and
    # verb have a help text, which adds their options to the global ones.
    text=$(_keywright_help)
    options=$(_keywright_options <<<"$text")
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]/#-o/--output}
        case $word in
        --chip)
            i=$((i + 1))
            while [ "${COMP_WORDS[i + 1]:-}" = : ] && [ "$i" -lt "$COMP_CWORD" ]
            do
                i=$((i + 2))
            done
            ;;
        -*)
            if [ "${COMP_WORDS[i + 1]}" = = ]; then
                i=$((i + 2))
            elif grep -q -e "^$word " <<<"$options"; then
                i=$((i + 1))
            fi
            ;;
        *)
            if [ "$word" = help ] && [ "${#plain[@]}" -eq 0 ]; then
                helps=help
                continue
            fi
            plain+=("$word")
            if [ "${#plain[@]}" -eq 1 ] || grep -q '^Verbs:' <<<"$text"; then
                text=$(_keywright_help "${plain[@]}")
                options+=$'\n'$(_keywright_options <<<"$text")
            fi
            ;;
        esac
    done

    value=''
    if [[ $prev == -* ]]; then
        value=$(sed -n "s/^${prev/#-o/--output} //p" <<<"$options")
    fi
    if [ "$prev" = --chip ]; then
        _keywright_reply "$(_keywright_links)" "$cur"
        # What stands before the last ':' is on the line already.
        if [[ $cur == *:* ]]; then
            COMPREPLY=("${COMPREPLY[@]#"${cur%:*}:"}")
        fi
    elif [ -n "$value" ]; then
        _keywright_value "$value" "$cur"
    elif [[ $cur == -* ]]; then
        _keywright_reply "$(sed 's/ .*//' <<<"$options")" "$cur"
    elif grep -q '^[NV][a-z]*s:$' <<<"$text"; then
        names=$(_keywright_names <<<"$text")
        if [ -z "$helps" ] && [ "${#plain[@]}" -eq 0 ]; then
            names+=' help'
        fi
        _keywright_reply "$names" "$cur"
    elif [ -z "$helps" ]; then
        _keywright_value "$(_keywright_operand "$text" "${plain[@]}")" \
            "$cur" "$prev"
    fi
}

complete -F _keywright keywright
