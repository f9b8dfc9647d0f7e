// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.NodeTls;
import dev.entente.server.Problem.Code;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Reads the parts of an HTTP request; refuses what is not well formed. Free of the web framework.
 */
final class Requests {
  private static final int CHUNK_BYTES = 16 << 10;

  /** What is read at once of a body whose length nobody said; most have none. */
  private static final int UNANNOUNCED_BYTES = 4 << 10;

  /** So much room is made at once for a body that is announced and has not come yet. */
  private static final int ROOM_BYTES_MAX = 256 << 10;

  private Requests() {}

  /** Adds a header; refuses one that stands twice, or whose bytes mean nothing certain. */
  static void add(Map<String, String> headers, String name, String value, boolean repeated) {
    String lower = name.toLowerCase(Locale.ROOT);
    boolean list = lower.equals("accept") || lower.equals("cookie");
    if (headers.put(lower, value) != null || (repeated && !list)) {
      throw new Problem(Code.MALFORMED, "the header " + lower + " stands twice");
    }
    if (lower.startsWith("entente-") || lower.equals("idempotency-key")) {
      requireAscii(lower, value);
    }
  }

  /** Refuses bytes whose meaning depends on who decodes them. */
  private static void requireAscii(String name, String value) {
    if (!value.chars().allMatch(c -> c >= ' ' && c < 0x7F)) {
      throw new Problem(
          Code.MALFORMED,
          name + " holds bytes beyond printable ASCII; send them percent-encoded as UTF-8");
    }
  }

  /** Where a request comes from; of the sixth version the half of the address that is a network. */
  static String network(SocketAddress from) {
    if (!(from instanceof InetSocketAddress socket) || socket.getAddress() == null) {
      return "";
    }
    byte[] address = socket.getAddress().getAddress();
    return address.length == 4
        ? socket.getAddress().getHostAddress()
        : HexFormat.of().formatHex(address, 0, 8) + "::/64";
  }

  /** The name in the certificate of who is calling; empty where there is none. */
  static String certified(Optional<Certificate[]> proof) {
    return proof.isPresent() && proof.get()[0] instanceof X509Certificate certificate
        ? NodeTls.commonName(certificate)
        : "";
  }

  /** The parameters of a query. */
  static Map<String, String> query(String raw) {
    Map<String, String> result = new HashMap<>();
    for (String parameter : raw.split("&")) {
      int end = parameter.indexOf('=');
      String name = word(end < 0 ? parameter : parameter.substring(0, end));
      String value = end < 0 ? "" : word(parameter.substring(end + 1));
      if (!parameter.isEmpty() && result.put(name, value) != null) {
        throw new Problem(Code.INVALID, name + " stands twice in the query");
      }
    }
    return result;
  }

  private static String word(String encoded) {
    return Call.decoded("the query", encoded.replace('+', ' '));
  }

  /** The whole body, which is bounded and keeps coming. */
  static byte[] body(Map<String, String> headers, long announced, InputStream in) {
    if (headers.containsKey("content-encoding")
        && !"identity".equals(headers.get("content-encoding"))) {
      throw new Problem(Code.UNSUPPORTED_MEDIA_TYPE, "bodies are not compressed");
    }
    if (announced > Limits.BODY_BYTES_MAX) {
      throw tooLarge();
    }
    try {
      return read(in, announced);
    } catch (Problem problem) {
      throw problem;
    } catch (IOException | RuntimeException e) {
      throw new UncheckedIOException(new IOException("the body could not be read", e));
    }
  }

  /** Reads a body of bounded size that keeps coming; one that trickles ends with its connection. */
  private static byte[] read(InputStream in, long announced) throws IOException {
    long start = System.nanoTime();
    ByteArrayOutputStream body =
        new ByteArrayOutputStream(Math.clamp(announced, 0, ROOM_BYTES_MAX));
    byte[] chunk =
        new byte[announced > 0 ? (int) Math.min(announced, CHUNK_BYTES) : UNANNOUNCED_BYTES];
    for (int length = in.read(chunk); length >= 0; length = in.read(chunk)) {
      body.write(chunk, 0, length);
      if (body.size() > Limits.BODY_BYTES_MAX) {
        throw tooLarge();
      }
      long millis = (System.nanoTime() - start) / 1_000_000 - Limits.BODY_GRACE_MILLIS;
      if (millis > 0 && body.size() < millis * Limits.BODY_BYTES_PER_SECOND_MIN / 1_000) {
        throw new Problem(
            Code.TOO_SLOW,
            "the body arrived with fewer than "
                + Limits.BODY_BYTES_PER_SECOND_MIN
                + " bytes a second; send it again over a better line, or in smaller parts");
      }
    }
    return body.toByteArray();
  }

  private static Problem tooLarge() {
    return new Problem(Code.TOO_LARGE, "a body has at most " + Limits.BODY_BYTES_MAX + " bytes");
  }

  /** The path's segments, decoded one by one, so that an escaped slash stays inside its name. */
  static List<String> segments(String rawPath) {
    if (!rawPath.startsWith("/")) {
      throw new Problem(Code.MALFORMED, "the path begins with no slash");
    }
    List<String> segments = new ArrayList<>();
    for (String segment : rawPath.substring(1).split("/", -1)) {
      String decoded = Call.decoded("a segment of the path", segment);
      if (decoded.indexOf('\0') >= 0 || decoded.equals("..") || decoded.equals(".")) {
        throw new Problem(Code.MALFORMED, "the path is not well formed");
      }
      segments.add(decoded);
    }
    return segments;
  }
}
