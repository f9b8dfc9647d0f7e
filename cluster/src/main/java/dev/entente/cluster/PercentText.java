// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The one form in which text stands in a URL or in a header: ASCII, with everything else
 * percent-encoded as UTF-8 (RFC 3986). What is not in this form is refused, never repaired.
 */
public final class PercentText {
  private static final int HEX = 16;

  private PercentText() {}

  /** Text as one segment of a path, one part of a query, or one word of a header. */
  public static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /** Text as the value of a header: visible ASCII but the percent sign stands for itself. */
  public static String encodeHeader(String text) {
    StringBuilder encoded = new StringBuilder();
    text.codePoints()
        .forEach(c -> {
          if (c > ' ' && c < 0x7F && c != '%') {
            encoded.append((char) c);
          } else {
            encoded.append(encode(Character.toString(c)));
          }
        });
    return encoded.toString();
  }

  /**
   * The text that was encoded.
   *
   * @throws IllegalArgumentException where it is not printable ASCII, a percent sign is not
   *     followed by two hexadecimal digits, or the bytes are not UTF-8
   */
  public static String decode(String encoded) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(encoded.length());
    for (int i = 0; i < encoded.length(); i++) {
      char c = encoded.charAt(i);
      if (c < ' ' || c >= 0x7F) {
        throw new IllegalArgumentException("holds characters beyond printable ASCII");
      }
      if (c == '%') {
        bytes.write(octet(encoded, i));
        i += 2;
      } else {
        bytes.write(c);
      }
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.toByteArray()))
          .toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("is not UTF-8", e);
    }
  }

  private static int octet(String encoded, int percent) {
    int high = digit(encoded, percent + 1);
    int low = digit(encoded, percent + 2);
    if (high < 0 || low < 0) {
      throw new IllegalArgumentException("holds a percent sign that encodes nothing; write %25");
    }
    return high * HEX + low;
  }

  private static int digit(String encoded, int at) {
    // Character.digit takes digits of other scripts too, which are not ASCII and refused above.
    return at < encoded.length() && encoded.charAt(at) < 0x7F
        ? Character.digit(encoded.charAt(at), HEX)
        : -1;
  }
}
