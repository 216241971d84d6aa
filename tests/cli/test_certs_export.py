"""`keywright certs export`: C definitions for firmware, and files."""

import hashlib
import subprocess

import kw
from certs_case import chain_files, openssl_verify
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import utils


class Export(kw.Case):
    """C definitions: a C program rebuilds the certificates from them."""

    REBUILD = r"""
#include <stdio.h>
#include <string.h>
#include "cust_def_1_signer.h"
#include "cust_def_2_device.h"

static void show(const char *name, const atcacert_def_t *def) {
    printf("%s type %d template %d chain %d source %d key %d %d comp %d "
           "years %d tbs %d %d ca %d\n", name, def->type, def->template_id,
           def->chain_id, def->sn_source, def->public_key_dev_loc.slot,
           def->public_key_dev_loc.count, def->comp_cert_dev_loc.slot,
           def->expire_years, def->tbs_cert_loc.offset,
           def->tbs_cert_loc.count, def->ca_cert_def != NULL);
    for (int i = 0; i < STDCERT_NUM_ELEMENTS; i++) {
        printf("std %d %d\n", def->std_cert_elements[i].offset,
               def->std_cert_elements[i].count);
    }
    for (int i = 0; i < def->cert_elements_count; i++) {
        printf("%s %d %d %d %d\n", def->cert_elements[i].id,
               def->cert_elements[i].cert_loc.offset,
               def->cert_elements[i].cert_loc.count,
               def->cert_elements[i].device_loc.offset,
               def->cert_elements[i].device_loc.count);
    }
    printf("template ");
    for (int i = 0; i < def->cert_template_size; i++) {
        printf("%02x", def->cert_template[i]);
    }
    printf("\n");
}

int main(void) {
    show("signer", &g_cert_def_1_signer);
    show("device", &g_cert_def_2_device);
    printf("ca ");
    for (int i = 0; i < 64; i++) {
        printf("%02x", g_cert_ca_public_key_1_signer[i]);
    }
    printf("\n");
    return 0;
}
"""

    # The names of the vendor library's public header, in a few lines.
    HEADER = r"""
#pragma once
#include <stddef.h>
#include <stdint.h>
#define FALSE 0
#define TRUE 1
typedef enum { CERTTYPE_X509 } atcacert_cert_type_t;
typedef int atcacert_cert_sn_src_t;
typedef enum { DEVZONE_CONFIG = 0, DEVZONE_OTP = 1, DEVZONE_DATA = 2,
               DEVZONE_NONE = 7 } atcacert_device_zone_t;
typedef enum { DATEFMT_ISO8601_SEP, DATEFMT_RFC5280_UTC,
               DATEFMT_POSIX_UINT32_BE, DATEFMT_POSIX_UINT32_LE,
               DATEFMT_RFC5280_GEN } atcacert_date_format_t;
typedef enum { TF_NONE, TF_REVERSE, TF_BIN2HEX_UC } atcacert_transform_t;
enum { STDCERT_PUBLIC_KEY, STDCERT_SIGNATURE, STDCERT_ISSUE_DATE,
       STDCERT_EXPIRE_DATE, STDCERT_SIGNER_ID, STDCERT_CERT_SN,
       STDCERT_AUTH_KEY_ID, STDCERT_SUBJ_KEY_ID, STDCERT_NUM_ELEMENTS };
typedef struct { atcacert_device_zone_t zone; uint16_t slot;
                 uint8_t is_genkey; uint16_t offset; uint16_t count;
               } atcacert_device_loc_t;
typedef struct { uint16_t offset; uint16_t count; } atcacert_cert_loc_t;
typedef struct { char id[25]; atcacert_device_loc_t device_loc;
                 atcacert_cert_loc_t cert_loc;
                 atcacert_transform_t transforms[2];
               } atcacert_cert_element_t;
typedef struct atcacert_def_s {
    atcacert_cert_type_t type; uint8_t template_id; uint8_t chain_id;
    uint8_t private_key_slot; atcacert_cert_sn_src_t sn_source;
    atcacert_device_loc_t cert_sn_dev_loc;
    atcacert_date_format_t issue_date_format;
    atcacert_date_format_t expire_date_format;
    atcacert_cert_loc_t tbs_cert_loc; uint8_t expire_years;
    atcacert_device_loc_t public_key_dev_loc;
    atcacert_device_loc_t comp_cert_dev_loc;
    atcacert_cert_loc_t std_cert_elements[STDCERT_NUM_ELEMENTS];
    const atcacert_cert_element_t *cert_elements; uint8_t cert_elements_count;
    const uint8_t *cert_template; uint16_t cert_template_size;
    const struct atcacert_def_s *ca_cert_def;
} atcacert_def_t;
"""

    def definitions(self, folder):
        """Compiles and runs: what the definitions hold."""
        (folder / "atcacert").mkdir()
        (folder / "atcacert" / "atcacert_def.h").write_text(self.HEADER)
        (folder / "main.c").write_text(self.REBUILD)
        subprocess.run(
            ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror",
             "-Wno-sign-compare", "-I.", "-o", "show", "main.c",
             "cust_def_1_signer.c", "cust_def_2_device.c"],
            cwd=folder, check=True)
        out = subprocess.run([folder / "show"], check=True,
                             capture_output=True, text=True).stdout
        found, current = {}, None
        for line in out.splitlines():
            words = line.split()
            if words[0] in ("signer", "device"):
                current = {"std": [], "elements": [], **dict(
                    zip(words[1::2], words[2::2]))}
                current["tbs"] = [int(words[words.index("tbs") + 1]),
                                  int(words[words.index("tbs") + 2])]
                found[words[0]] = current
            elif words[0] == "std":
                current["std"].append((int(words[1]), int(words[2])))
            elif words[0] == "template":
                current["template"] = bytes.fromhex(words[1])
            elif words[0] == "ca":
                found["ca"] = bytes.fromhex(words[1])
            else:
                current["elements"].append([int(word) for word in words[1:]])
        return found

    @staticmethod
    def dates(compressed):
        bits = int.from_bytes(compressed[64:67], "big")
        begin = [bits >> 19, bits >> 15 & 15, bits >> 10 & 31, bits >> 5 & 31]
        text = "".join(f"{part:02}" for part in begin[1:]) + "0000Z"
        return (f"{begin[0]:02}{text}".encode(),
                f"{2000 + begin[0] + (bits & 31)}{text}".encode())

    def rebuild(self, definition, compressed, key, ca_key, config):
        """As firmware does it: fill the template in, sign-off with R, S."""
        def identifier(point):
            return hashlib.sha1(b"\4" + point).digest()
        begin, end = self.dates(compressed)
        serial = bytearray(hashlib.sha256(
            key + compressed[64:67]).digest()[:16])
        serial[0] = serial[0] & 0x7F | 0x40
        filled = bytearray(definition["template"])
        for (offset, count), value in zip(definition["std"], (
                key, None, begin, end, compressed[67:69].hex().upper().encode(),
                bytes(serial), identifier(ca_key), identifier(key))):
            if value is not None and count > 0:
                self.assertEqual(len(value), count)
                filled[offset:offset + count] = value
        for offset, count, at, size in definition["elements"]:
            value = config[at:at + size].hex().upper().encode()
            self.assertEqual(len(value), count)
            filled[offset:offset + count] = value
        offset, count = definition["tbs"]
        signature = utils.encode_dss_signature(
            int.from_bytes(compressed[:32], "big"),
            int.from_bytes(compressed[32:64], "big"))
        bits = b"\3" + bytes([len(signature) + 1, 0]) + signature
        at = definition["std"][1][0]
        body = bytes(filled[offset:at]) + bits
        self.assertEqual(count, at - offset - 12)
        return b"\x30\x82" + len(body).to_bytes(2, "big") + body

    def rebuilds(self, place, config, name):
        """What a C program holds gives what the chip holds."""
        out = place.folder / f"out-{name}"
        place.json("certs", "export", "--c-def", "--der", "-o", out)
        place.json("certs", "backup", "-o", f"slots-{name}")
        slots = (place.folder / f"slots-{name}").read_bytes()
        found = self.definitions(out)
        device = x509.load_der_x509_certificate(
            (out / "device.der").read_bytes())
        numbers = device.public_key().public_numbers()
        key = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        signer_key = slots[76:108] + slots[112:144]
        self.assertEqual(
            self.rebuild(found["signer"], slots[144:216], signer_key,
                         found["ca"], config),
            (out / "signer.der").read_bytes())
        self.assertEqual(
            self.rebuild(found["device"], slots[:72], key, signer_key,
                         config),
            (out / "device.der").read_bytes())
        self.assertEqual(found["device"]["template"][:2], b"\x30\x82")
        self.assertEqual(found["device"]["ca"], "1")
        self.assertEqual(found["signer"]["ca"], "0")

    @staticmethod
    def config_of(serial):
        return serial[:4] + bytes(4) + serial[4:]

    def test_rebuilds_the_certificates(self):
        config = self.config_of(bytes.fromhex(self.init()))
        for number in range(4):  # signatures of several lengths
            with self.subTest(number=number):
                self.kw.json("certs", "custom", "--org", "test", "--renew",
                             "--yes")
                self.rebuilds(self.kw, config, number)

    def test_rebuilds_the_vendors_certificates(self):
        for model in ("608a", "608b"):
            with self.subTest(model=model):
                place = self.another(model)
                serial = place.json("init", "--model", model)["chips"][0][
                    "serial"]
                self.rebuilds(place, self.config_of(bytes.fromhex(serial)),
                              model)

    def test_exports_nothing_over_a_file(self):
        self.init()
        self.kw.json("certs", "export", "-o", "out")
        openssl_verify(*chain_files(self.kw.folder / "out"))
        self.kw.run("certs", "export", "-o", "out", code=1)


if __name__ == "__main__":
    kw.main()
