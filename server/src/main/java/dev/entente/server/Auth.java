// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.cluster.HttpTransport;
import dev.entente.cluster.NodeTls;
import dev.entente.engine.Hashes;
import dev.entente.server.Problem.Code;
import dev.entente.server.access.Accounts;
import dev.entente.server.access.Caller;
import dev.entente.server.access.OpenId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Says who is calling: by a token in {@code Authorization: Bearer}, the administrator's or one of
 * an account, or by a browser's session cookie that was got with one. Thread-safe.
 *
 * <p>A session lives in memory for twelve hours, and no longer than its token. A request that
 * changes something under a cookie must come from the same origin.
 */
final class Auth {
  static final String COOKIE = "entente-session";
  private static final long SESSION_MILLIS = 12 * 3_600_000L;
  private static final int SESSIONS_MAX = 10_000;

  private final byte[] tokenHash;
  private final Optional<byte[]> secretHash;

  /** Whether lines are encrypted, and nodes show certificates. */
  private final boolean certified;

  private final LongSupplier nowMillis;
  private final Throttle throttle;
  private final Accounts accounts;
  private final Optional<OpenId> openId;
  private final Map<String, Session> sessions = new ConcurrentHashMap<>();
  private final SecureRandom random = new SecureRandom();

  /** Somebody is signed in for a while, as long as their token is good. */
  private record Session(Supplier<Optional<Caller>> who, String token, long untilMillis) {
    @Override
    public String toString() {
      return "Session[" + untilMillis + "]";
    }
  }

  Auth(
      ServerConfig config,
      Accounts accounts,
      Optional<OpenId> openId,
      Throttle throttle,
      LongSupplier nowMillis) {
    this.throttle = throttle;
    this.accounts = accounts;
    this.openId = openId;
    this.tokenHash = hash(config.token());
    this.secretHash = config.peering().map(Peering::secret).map(Auth::hash);
    this.certified = config.peering().flatMap(Peering::tls).isPresent();
    this.nowMillis = nowMillis;
  }

  /**
   * A client who calls, or for whom another node does; or a problem. A node shows the client's own
   * token, and what that is good for is looked up here: the node's word counts for nothing.
   */
  Caller user(Call call) {
    if (call.header(Steering.FORWARDED).isEmpty()) {
      return caller(call);
    }
    var _ = node(call);
    return client(call);
  }

  /** The client for whom a node asks, by the token that it showed that node; or a problem. */
  Caller client(Call call) {
    return call.header(HttpTransport.RELAYED)
        .flatMap(value -> bearer(value, call.peer().address()))
        .orElseThrow(() ->
            new Problem(
                Code.UNAUTHORIZED,
                "a request that a node sends on shows the client's own token, good here, in "
                    + HttpTransport.RELAYED));
  }

  /**
   * The token with which a client was let in, to be shown to a node that the call is sent on to.
   */
  Optional<String> credential(Call call) {
    if (call.header(Steering.FORWARDED).isPresent()) {
      return call.header(HttpTransport.RELAYED);
    }
    return call.header("authorization")
        .or(() -> session(call).map(sessions::get).map(session -> "Bearer " + session.token()));
  }

  private Optional<Caller> bearer(String value, String address) {
    return value.startsWith("Bearer ")
        ? holder(value.substring(7).strip(), address)
        : Optional.empty();
  }

  /** Who calls, or a problem. */
  Caller caller(Call call) {
    Optional<String> header = call.header("authorization");
    if (header.isPresent()) {
      return bearer(header.get(), call.peer().address())
          .orElseThrow(() ->
              new Problem(
                  Code.UNAUTHORIZED, "the token is not valid, was revoked, or has expired"));
    }
    Optional<Caller> signedIn =
        session(call)
            .map(sessions::get)
            .filter(session -> session.untilMillis() > nowMillis.getAsLong())
            .flatMap(session -> session.who().get());
    Caller caller =
        signedIn.orElseThrow(() ->
            new Problem(
                Code.UNAUTHORIZED,
                "send Authorization: Bearer <token>; the administrator's was printed when the node"
                    + " was first started and is in its data directory"));
    if (!call.method().equals("GET") && !call.method().equals("HEAD") && !sameOrigin(call)) {
      throw otherOrigin();
    }
    return caller;
  }

  /** Who holds a token. */
  private Optional<Caller> holder(String token) {
    return isAdministrators(token) ? Optional.of(Caller.administrator()) : account(token);
  }

  private Optional<Caller> account(String token) {
    return accounts.caller(token).or(() -> openId.flatMap(provider -> provider.caller(token)));
  }

  /**
   * Who holds a token that came from an address. The token is looked at first, so that nobody who
   * guesses from the same address keeps its holder out.
   */
  private Optional<Caller> holder(String token, String address) {
    Optional<Caller> holder = holder(token);
    if (holder.isEmpty()) {
      // Of a token of no account only its hash is kept: it may be a right one somewhere else.
      refused(address, Accounts.idOf(token).orElseGet(() -> HexFormat.of().formatHex(hash(token))));
    }
    return holder;
  }

  /** Counts a credential that was none, by where it came from and by what it was meant to be. */
  private void refused(String address, String credential) {
    boolean tooMany = throttle.guessesTooMuch(address, credential);
    throttle.guessed(address, credential);
    if (tooMany) {
      throw Throttle.guessedTooMuch();
    }
  }

  /** Lets another node pass, or throws. */
  String node(Call call) {
    String given = call.header("authorization").orElse("");
    String address = call.peer().address();
    if (secretHash.isEmpty()) {
      throw new Problem(Code.UNAUTHORIZED, "this node takes part in no cluster");
    }
    if (!given.startsWith("Bearer ")
        || !MessageDigest.isEqual(secretHash.get(), hash(given.substring(7).strip()))) {
      refused(address, "secret of nodes");
      throw new Problem(Code.UNAUTHORIZED, "the two nodes do not share the same secret");
    }
    if (certified && call.peer().name().isEmpty()) {
      throw new Problem(
          Code.FORBIDDEN, "a node shows a certificate that names it, signed by the authority");
    }
    Optional<String> who = call.header(HttpTransport.NODE);
    if (certified && who.isPresent() && !NodeTls.isNamed(who.get(), call.peer().name())) {
      throw new Problem(
          Code.FORBIDDEN,
          "the certificate is that of " + call.peer().name() + ", not of " + who.get());
    }
    return call.peer().name().isEmpty() ? "node" : call.peer().name();
  }

  /**
   * Whether the page that sent a request has this node's scheme, host name and port. A proxy that
   * ends TLS before a plain port names the scheme of its own port in X-Forwarded-Proto.
   */
  private static boolean sameOrigin(Call call) {
    Optional<String> origin = call.header("origin");
    Optional<String> host = call.header("host");
    if (origin.isEmpty() || host.isEmpty()) {
      return false;
    }
    return origin.get().equalsIgnoreCase(scheme(call) + "://" + host.get());
  }

  /** The scheme that the client used: the listener's, or that of the proxy before a plain port. */
  private static String scheme(Call call) {
    return call.peer().encrypted()
        ? "https"
        : call.header("x-forwarded-proto").orElse("http").strip();
  }

  private static Problem otherOrigin() {
    return new Problem(
        Code.FORBIDDEN,
        "a browser's request must come from the dashboard itself, with the same scheme, host and"
            + " port; a proxy that speaks HTTPS before this node sends X-Forwarded-Proto: https");
  }

  /** Refuses to sign in for a page of another origin; clients that are no browser send none. */
  static void requireOwnPage(Call call) {
    if (call.header("origin").isPresent() && !sameOrigin(call)) {
      throw otherOrigin();
    }
  }

  /** A new session's cookie for whoever has the token. */
  Optional<String> signIn(String token, Call call) {
    if (holder(token, call.peer().address()).isEmpty()) {
      return Optional.empty();
    }
    sessions.values().removeIf(session -> session.untilMillis() < nowMillis.getAsLong());
    if (sessions.size() >= SESSIONS_MAX) {
      throw new Problem(Code.TOO_FAST, "too many sessions; sign out somewhere or try again later");
    }
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    String id = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    // The token stays in memory for requests that only another node may answer.
    Optional<String> account = Accounts.idOf(token);
    Supplier<Optional<Caller>> who =
        account.isPresent() ? () -> accounts.callerOf(account.get()) : () -> holder(token);
    sessions.put(id, new Session(who, token, nowMillis.getAsLong() + SESSION_MILLIS));
    return Optional.of(cookie(call, id, SESSION_MILLIS / 1000));
  }

  private static String cookie(Call call, String value, long seconds) {
    return COOKIE
        + "="
        + value
        + "; Path=/; HttpOnly; SameSite=Strict; Max-Age="
        + seconds
        + (scheme(call).equalsIgnoreCase("https") ? "; Secure" : "");
  }

  /** Ends the caller's session; the cookie that removes theirs. */
  String signOut(Call call) {
    Optional<String> session = session(call);
    if (session.isPresent() && !sameOrigin(call)) {
      throw otherOrigin();
    }
    session.ifPresent(sessions::remove);
    return cookie(call, "", 0);
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

  private boolean isAdministrators(String candidate) {
    return !candidate.isEmpty() && MessageDigest.isEqual(tokenHash, hash(candidate));
  }

  private static byte[] hash(String text) {
    return Hashes.of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A new random token. */
  static String newToken() {
    byte[] bytes = new byte[24];
    new SecureRandom().nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
