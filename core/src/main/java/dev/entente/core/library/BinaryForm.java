// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.library;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteReader.DamagedException;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.codec.JsonCodec;
import dev.entente.core.json.Json;
import java.util.Arrays;

/**
 * The binary form of a replica's JSON form: the bytes {@code E N L 1}, then the value as {@link
 * JsonCodec} writes it. Equal values have equal bytes, and only those bytes are read.
 */
final class BinaryForm {
  private static final byte[] MAGIC = {'E', 'N', 'L', 1};

  private BinaryForm() {}

  /**
   * The value's bytes.
   *
   * @throws IllegalArgumentException where reading them would not give the value back: a text with
   *     half a surrogate pair, or values nested too deep
   */
  static byte[] toBytes(Json value) {
    byte[] bytes = written(value);
    if (!read(bytes).equals(value)) {
      throw new IllegalArgumentException("a text with half a surrogate pair cannot be encoded");
    }
    return bytes;
  }

  private static byte[] written(Json value) {
    ByteWriter out = new ByteWriter().raw(MAGIC);
    JsonCodec.write(out, value);
    return out.toBytes();
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws IllegalArgumentException where the bytes are anything else; takes no more memory than a
   *     small multiple of their number
   */
  static Json fromBytes(byte[] bytes) {
    if (!Arrays.equals(bytes, 0, Math.min(3, bytes.length), MAGIC, 0, 3)) {
      throw new IllegalArgumentException("not a replica's state");
    }
    if (bytes.length < 4 || bytes[3] != MAGIC[3]) {
      throw new IllegalArgumentException("a format that this release does not read");
    }
    Json value = read(bytes);
    if (!Arrays.equals(written(value), bytes)) {
      throw new IllegalArgumentException("not in the one form that this value has");
    }
    return value;
  }

  private static Json read(byte[] bytes) {
    try {
      return ByteReader.readAll(
          bytes,
          in -> {
            in.raw(MAGIC.length);
            return JsonCodec.read(in);
          });
    } catch (DamagedException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
