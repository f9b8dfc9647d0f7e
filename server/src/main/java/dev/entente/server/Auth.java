// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.HttpTransport;
import dev.entente.server.Problem.Code;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Says who is calling: the administrator's token in {@code Authorization: Bearer}, or a browser's
 * session cookie that was got with it. Thread-safe.
 *
 * <p>A session lives in memory for twelve hours. A request that changes something under a cookie
 * must come from the same origin.
 */
final class Auth {
  static final String COOKIE = "entente-session";
  private static final long SESSION_MILLIS = 12 * 3_600_000L;
  private static final int SESSIONS_MAX = 10_000;

  private final byte[] tokenHash;
  private final Optional<byte[]> secretHash;

  /** Whether nodes show certificates. */
  private final boolean certified;

  private final LongSupplier nowMillis;
  private final Map<String, Long> sessions = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();

  Auth(String token, Optional<Peering> peering, LongSupplier nowMillis) {
    this.tokenHash = hash(token);
    this.secretHash = peering.map(Peering::secret).map(Auth::hash);
    this.certified = peering.flatMap(Peering::tls).isPresent();
    this.nowMillis = nowMillis;
  }

  /** The name of a client who calls, or for whom another node does; or a problem. */
  String user(Call call) {
    if (call.header(Steering.FORWARDED).isEmpty()) {
      return actor(call);
    }
    node(call);
    return Call.checkedName(Steering.ACTOR, call.header(Steering.ACTOR).orElse(""));
  }

  /** The caller's name, or a problem. */
  String actor(Call call) {
    Optional<String> header = call.header("authorization");
    if (header.isPresent()) {
      if (header.get().startsWith("Bearer ") && isToken(header.get().substring(7).strip())) {
        return "admin";
      }
      throw new Problem(Code.UNAUTHORIZED, "the token is not valid");
    }
    Long until = session(call).map(sessions::get).orElse(null);
    if (until == null || until < nowMillis.getAsLong()) {
      throw new Problem(
          Code.UNAUTHORIZED,
          "send Authorization: Bearer <token>; the token was printed when the node was first started and is in its data directory");
    }
    if (!call.method().equals("GET") && !call.method().equals("HEAD") && !sameOrigin(call)) {
      throw new Problem(Code.FORBIDDEN, "a browser's request must come from the dashboard itself");
    }
    return "admin";
  }

  /** Lets another node pass, or throws. */
  String node(Call call) {
    String given = call.header("authorization").orElse("");
    if (secretHash.isEmpty()
        || !given.startsWith("Bearer ")
        || !MessageDigest.isEqual(secretHash.get(), hash(given.substring(7).strip()))) {
      throw new Problem(
          Code.UNAUTHORIZED,
          secretHash.isEmpty()
              ? "this node takes part in no cluster"
              : "the two nodes do not share the same secret");
    }
    if (certified && call.peer().isEmpty()) {
      throw new Problem(
          Code.FORBIDDEN, "a node shows a certificate that names it, signed by the authority");
    }
    Optional<String> who = call.header(HttpTransport.NODE);
    if (certified && who.isPresent() && !isNamed(who.get(), call.peer())) {
      throw new Problem(
          Code.FORBIDDEN, "the certificate is that of " + call.peer() + ", not of " + who.get());
    }
    return call.peer().isEmpty() ? "node" : call.peer();
  }

  /** Whether a node's id is one that a certificate for this name vouches for. */
  static boolean isNamed(String node, String name) {
    return node.equals(name) || node.startsWith(name + ".");
  }

  private static boolean sameOrigin(Call call) {
    Optional<String> origin = call.header("origin");
    @Nullable String host = call.header("host").orElse(null);
    return origin.isPresent() && host != null && host.equals(authority(origin.get()));
  }

  private static @Nullable String authority(String origin) {
    try {
      return URI.create(origin).getAuthority();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** A new session's cookie for whoever has the token. */
  Optional<String> signIn(String token) {
    if (!isToken(token)) {
      return Optional.empty();
    }
    sessions.values().removeIf(until -> until < nowMillis.getAsLong());
    if (sessions.size() >= SESSIONS_MAX) {
      throw new Problem(Code.TOO_FAST, "too many sessions; sign out somewhere or try again later");
    }
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    String id = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    sessions.put(id, nowMillis.getAsLong() + SESSION_MILLIS);
    return Optional.of(
        COOKIE
            + "="
            + id
            + "; Path=/; HttpOnly; SameSite=Strict; Max-Age="
            + SESSION_MILLIS / 1000);
  }

  void signOut(Call call) {
    session(call).ifPresent(sessions::remove);
  }

  private static Optional<String> session(Call call) {
    for (String part : call.header("cookie").orElse("").split(";")) {
      String cookie = part.strip();
      if (cookie.startsWith(COOKIE + "=")) {
        return Optional.of(cookie.substring(COOKIE.length() + 1));
      }
    }
    return Optional.empty();
  }

  private boolean isToken(String candidate) {
    return MessageDigest.isEqual(tokenHash, hash(candidate));
  }

  private static byte[] hash(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** A new random token. */
  static String newToken() {
    byte[] bytes = new byte[24];
    new SecureRandom().nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
