// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import dev.entente.core.json.Json;
import dev.entente.core.json.JsonNumber;
import dev.entente.core.json.JsonObject;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/** An answer that says what is wrong: problem details (RFC 9457) with a stable {@code code}. */
final class Problem extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Somebody has to thaw it; sooner is no use. */
  private static final long FROZEN_SECONDS = 10;

  private final Code code;
  private final transient Map<String, Json> members;

  /** The codes of the API, each with its status. */
  enum Code {
    MALFORMED(400),
    UNAUTHORIZED(401),
    FORBIDDEN(403),
    NOT_FOUND(404),
    METHOD_NOT_ALLOWED(405),
    TOO_SLOW(408),
    CONFLICT(409),
    GONE(410),
    STALE(412),
    TOO_LARGE(413),
    UNSUPPORTED_MEDIA_TYPE(415),
    MISDIRECTED(421),
    INVALID(422),
    FROZEN(423),
    PRECONDITION_REQUIRED(428),
    TOO_FAST(429),
    UNAVAILABLE(503);

    private final int status;

    Code(int status) {
      this.status = status;
    }

    int status() {
      return status;
    }

    String label() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }

  Problem(Code code, String detail) {
    this(code, detail, Map.of());
  }

  Problem(Code code, String detail, Map<String, Json> members) {
    super(detail, null, false, false);
    this.code = code;
    this.members = members;
  }

  /** When it makes sense to ask again, in seconds; nothing where asking again changes nothing. */
  OptionalLong retryAfterSeconds() {
    return switch (code) {
      case TOO_FAST, UNAVAILABLE, FROZEN ->
          OptionalLong.of(
              members.get("retryAfter") instanceof JsonNumber seconds && seconds.isLong()
                  ? seconds.longValue()
                  : code == Code.FROZEN ? FROZEN_SECONDS : 1);
      default -> OptionalLong.empty();
    };
  }

  Code code() {
    return code;
  }

  Map<String, Json> members() {
    return members;
  }

  JsonObject toJson() {
    Map<String, Json> all = new TreeMap<>(members);
    all.put("type", Json.of("about:blank"));
    all.put("title", Json.of(code.label().replace('-', ' ')));
    all.put("status", Json.of(code.status()));
    all.put("code", Json.of(code.label()));
    all.put("detail", Json.of(String.valueOf(getMessage())));
    return JsonObject.of(all);
  }
}
