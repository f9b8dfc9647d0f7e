// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine.codec;

import dev.entente.core.codec.ByteReader;
import dev.entente.core.codec.ByteWriter;
import dev.entente.core.record.RecordKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Keys of tables, so that they order as their parts do. Names hold no control characters, so a zero
 * byte ends each.
 */
public final class Keys {
  private Keys() {}

  public static byte[] of(String... names) {
    int length = 0;
    for (String name : names) {
      length += name.length() + 1;
    }
    ByteWriter out = new ByteWriter(length);
    for (String name : names) {
      out.ended(name);
    }
    return out.toBytes();
  }

  public static byte[] of(RecordKey key) {
    return of(key.tenant(), key.type(), key.id());
  }

  public static byte[] of(long number) {
    return new ByteWriter(Long.BYTES).u64(number).toBytes();
  }

  public static byte[] with(byte[] prefix, long number) {
    return new ByteWriter(prefix.length + Long.BYTES).raw(prefix).u64(number).toBytes();
  }

  public static byte[] with(byte[] prefix, byte[] suffix) {
    return new ByteWriter(prefix.length + suffix.length).raw(prefix).raw(suffix).toBytes();
  }

  /** The last name of a key that names end. */
  public static String lastName(byte[] key) {
    int start = key.length - 1;
    while (start > 0 && key[start - 1] != 0) {
      start--;
    }
    return new String(key, start, key.length - 1 - start, StandardCharsets.UTF_8);
  }

  /** The names of a key that consists of names alone. */
  public static List<String> names(byte[] key) {
    List<String> names = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < key.length; i++) {
      if (key[i] == 0) {
        names.add(new String(key, start, i - start, StandardCharsets.UTF_8));
        start = i + 1;
      }
    }
    return names;
  }

  /** The first name of a key that names begin. */
  public static String firstName(byte[] key) {
    int end = 0;
    while (end < key.length && key[end] != 0) {
      end++;
    }
    return new String(key, 0, end, StandardCharsets.UTF_8);
  }

  /** The number in the last eight bytes of a key. */
  public static long lastNumber(byte[] key) {
    return new ByteReader(Arrays.copyOfRange(key, key.length - 8, key.length)).u64();
  }

  /** The first key after all that begin with the prefix. */
  public static byte[] after(byte[] prefix) {
    byte[] end = prefix.clone();
    for (int i = end.length - 1; i >= 0; i--) {
      if (end[i] != (byte) 0xFF) {
        end[i]++;
        return Arrays.copyOf(end, i + 1);
      }
    }
    throw new IllegalArgumentException("nothing comes after this prefix");
  }
}
