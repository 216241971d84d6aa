# bash completion for keywright(1)                         -*- shell-script -*-

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
    printf '%s\n' unix: tcp:127.0.0.1:8608
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

_keywright_verbs() { # NOUN
    case $1 in
    chip)
        echo info slots read write lock random genkey sign verify sha mac \
            counter config explain trace snapshot restore run retire
        ;;
    resources) echo make ;;
    rotate)
        echo new-key request authorize apply verify run status resume \
            rollback export lock-authority
        ;;
    keys) echo list retire ;;
    manifest) echo make verify show split merge diff export ;;
    board) echo serve ;;
    primitives)
        echo list show graph matrix closure lint evaluate close what-if \
            diff cross evidence page
        ;;
    winc)
        echo new info list root tls dump load erase verify reset connect
        ;;
    ota) echo check update resume sign ;;
    lab) echo asymmetric accessory ;;
    certs)
        echo custom vendor backup restore resume show verify export \
            compress expand
        ;;
    esac
}

_keywright_options() { # NOUN VERB
    echo --workspace --chip --json --quiet --trace --yes --help --version
    case "$1 $2" in
    'init '*) echo --model ;;
    'chip retire') echo --dry-run --authority ;;
    'chip read') echo --block --key-file --output ;;
    'chip write') echo --file --hex --block --key-file --despite-lint ;;
    'chip lock') echo --image --dry-run --despite-lint ;;
    'chip genkey') echo --public --output ;;
    'chip sign') echo --file --digest --output ;;
    'chip verify') echo --signature --file --digest --public-key ;;
    'chip sha') echo --hmac ;;
    'chip mac') echo --challenge --key-file ;;
    'chip counter') echo --increment ;;
    'chip config') echo --file ;;
    'chip trace') echo --config ;;
    'resources make') echo --firmware --authority ;;
    'rotate run' | 'rotate resume') echo --authority ;;
    'rotate request') echo --fleet --output ;;
    'rotate authorize')
        echo --request --authority --sequence --accept-old-key \
            --expect-serial --expect-key --output
        ;;
    'rotate apply') echo --bundle ;;
    'rotate lock-authority') echo --dry-run ;;
    'rotate export')
        echo --c-header --as-upstream --bundle --authority --output
        ;;
    'manifest make')
        echo --from --log-signer --ca --device-cert --signer-cert --output
        ;;
    'manifest verify') echo --ca --root --jobs ;;
    'manifest split') echo --every --output ;;
    'manifest merge') echo --latest --output ;;
    'manifest export') echo --aws --azure --csv --gcp --output ;;
    'primitives list' | 'primitives show') echo --data --only ;;
    'primitives graph')
        echo --data --only --model --svg --dot --mermaid --output
        ;;
    'primitives matrix' | 'primitives closure') echo --data --only --model ;;
    'primitives lint') echo --data --only ;;
    'primitives page') echo --data --only --output ;;
    'primitives evaluate')
        echo --data --only --model --min-confidence --source --reading --level \
            --format --output
        ;;
    'primitives close')
        echo --data --only --model --min-confidence --source --reading \
            --sets --swap
        ;;
    'primitives what-if')
        echo --data --only --model --min-confidence --source --reading --add \
            --remove --level
        ;;
    'primitives diff')
        echo --data --only --model --min-confidence --source --reading
        ;;
    'primitives cross') echo --data --only --min-confidence --source ;;
    'primitives evidence')
        echo --data --only --model --min-confidence --source --reading --update
        ;;
    'board serve')
        echo --kit-pty --i2c --swi-pty --tcp --bridge --fleet --switch \
            --timing --watchdog --fault
        ;;
    'winc new') echo --module --firmware --size ;;
    'winc root')
        echo --module --dry-run --strict --download-mode --rekeyed
        ;;
    'winc tls')
        echo --module --dry-run --strict --download-mode --key --compact
        ;;
    'winc erase')
        echo --module --dry-run --strict --download-mode --root --tls
        ;;
    'winc connect') echo --module --flash --check-name ;;
    'winc '*) echo --module ;;
    'ota check' | 'ota update')
        echo --module --url --server-ca --list --authority --unsigned \
            --rekeyed --strict --compact --dry-run --download-mode --log
        ;;
    'ota resume') echo --module --old --download-mode ;;
    'ota sign')
        echo --files --authority --sequence --mac --output
        ;;
    'lab asymmetric') echo --root --attack ;;
    'lab accessory') echo --key-file --attack ;;
    'certs custom')
        echo --org --root-cn --signer-cn --signer-id --device-cn --validity \
            --authority --authority-cert --signer-key --renew
        ;;
    'certs vendor' | 'certs show' | 'certs verify') echo --root ;;
    'certs backup') echo --output ;;
    'certs restore') echo --backup ;;
    'certs resume') echo --old ;;
    'certs export') echo --pem --der --c-def --root --output ;;
    'certs compress')
        echo --definition --write-definition --template-id --chain-id \
            --device --output
        ;;
    'certs expand')
        echo --definition --public-key --issuer --device --serial-number \
            --eui48 --output
        ;;
    esac
}

_keywright_words() { # WORDS CURRENT
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_keywright_files() { # CURRENT
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_keywright() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local plain=() i word
    COMPREPLY=()

    # Bash takes ':' for a word of its own: put a link together again.
    if [ "$cur" = : ]; then
        cur=$prev: prev=${COMP_WORDS[COMP_CWORD - 2]}
    elif [ "$prev" = : ] && [ "$COMP_CWORD" -ge 3 ]; then
        cur=${COMP_WORDS[COMP_CWORD - 2]}:$cur
        prev=${COMP_WORDS[COMP_CWORD - 3]}
    fi

    case $prev in
    --workspace)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --chip)
        _keywright_words "$(_keywright_links)" "$cur"
        # What stands before the last ':' is on the line already.
        if [[ $cur == *:* ]]; then
            COMPREPLY=("${COMPREPLY[@]#"${cur%:*}:"}")
        fi
        return
        ;;
    --model)
        _keywright_words '608a 608b' "$cur"
        return
        ;;
    --attack)
        _keywright_words \
            'clone foreign-root expired replay wrong-accessory none' "$cur"
        return
        ;;
    --request | --bundle | --authority | --firmware | --output | -o | \
        --authority-cert | --signer-key | --root | --backup | --definition | \
        --write-definition | --public-key | --issuer | --file | --key-file | \
        --image | --signature | --config)
        _keywright_files "$cur"
        return
        ;;
    --sequence | --accept-old-key | --expect-serial | --expect-key | --tcp | \
        --org | --root-cn | --signer-cn | --signer-id | --device-cn | \
        --validity | --template-id | --chain-id | --device | \
        --serial-number | --eui48 | --hex | --block | --digest | --hmac | \
        --challenge)
        return
        ;;
    esac

    # The words so far that are neither options nor their values.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --workspace | --model | --request | --bundle | --authority | \
            --firmware | --output | -o | --sequence | --accept-old-key | \
            --expect-serial | --expect-key | --tcp | --authority-cert | \
            --signer-key | --root | --backup | --definition | \
            --write-definition | --public-key | --issuer | --org | \
            --root-cn | --signer-cn | --signer-id | --device-cn | \
            --validity | --template-id | --chain-id | --device | \
            --serial-number | --eui48 | --kit-pty | --i2c | --swi-pty | \
            --bridge | --switch | --timing | --file | --key-file | --image | \
            --signature | --config | --hex | --block | --digest | --hmac | \
            --challenge | --attack) i=$((i + 1)) ;;
        --chip)
            i=$((i + 1))
            while [ "${COMP_WORDS[i + 1]:-}" = : ] && [ "$i" -lt "$COMP_CWORD" ]
            do
                i=$((i + 2))
            done
            ;;
        -*) ;;
        *) plain+=("$word") ;;
        esac
    done

    if [[ $cur == -* ]]; then
        _keywright_words \
            "$(_keywright_options "${plain[0]:-}" "${plain[1]:-}")" "$cur"
        return
    fi
    case ${#plain[@]} in
    0) _keywright_words 'init chip resources rotate keys board certs manifest winc ota primitives lab' "$cur" ;;
    1) _keywright_words "$(_keywright_verbs "${plain[0]}")" "$cur" ;;
    *)
        case "${plain[0]} ${plain[1]} ${#plain[@]}" in
        'manifest show 2' | 'manifest verify 2' | 'manifest split 2' | \
            'manifest merge '* | 'manifest diff '* | 'manifest export 2')
            _keywright_files "$cur"
            ;;
        'chip run 2' | 'chip sha 2' | 'chip trace 2' | 'chip restore 2')
            _keywright_files "$cur"
            ;;
        'chip read 2' | 'chip write 2')
            _keywright_words "config otp $(echo {0..15})" "$cur"
            ;;
        'chip lock 2') _keywright_words 'config data slot' "$cur" ;;
        'certs compress 2' | 'certs expand 2') _keywright_files "$cur" ;;
        'winc root 2') _keywright_words 'add remove list' "$cur" ;;
        'winc tls 2') _keywright_words 'add remove list compact' "$cur" ;;
        'winc root '* | 'winc tls '* | 'winc dump 2' | 'winc load 2' | \
            'ota sign 2')
            _keywright_files "$cur"
            ;;
        'keys retire 2') _keywright_words "$(_keywright_serials)" "$cur" ;;
        'keys retire 3')
            _keywright_words "$(_keywright_generations "${plain[2]}")" "$cur"
            ;;
        'keys retire 4') _keywright_words '5 6 9 13 14 15' "$cur" ;;
        esac
        ;;
    esac
}

complete -F _keywright keywright
