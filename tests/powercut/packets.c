/* tests/powercut/packets.c: a cut between two commands to the chip: before a
 * packet is built for the wire. With -Wl,--wrap=kw_packet_encode the linker
 * sends core's and host's calls here. */
#include "core/packet.h"
#include "tests/powercut/disk.h"

kw_status __real_kw_packet_encode(const struct kw_command *command,
                                  uint8_t packet[KW_PACKET_MAX], size_t *size);
kw_status __wrap_kw_packet_encode(const struct kw_command *command,
                                  uint8_t packet[KW_PACKET_MAX], size_t *size);
kw_status __wrap_kw_packet_encode(const struct kw_command *command,
                                  uint8_t packet[KW_PACKET_MAX], size_t *size) {
    kw_disk_mark();
    return __real_kw_packet_encode(command, packet, size);
}
