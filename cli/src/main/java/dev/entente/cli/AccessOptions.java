// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.engine.store.SettingFile;
import dev.entente.server.access.OpenId;
import dev.entente.server.access.RateLimits;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Whose tokens a node believes, and how fast their holders may go on. */
final class AccessOptions {
  private static final String AUDIENCE = "entente";
  private static final String NAME_CLAIM = "sub";

  @Option(
      names = "--oidc-issuer",
      paramLabel = "URL",
      description =
          "An OpenID Connect provider whose tokens are believed; the claim entente lists what they"
              + " grant, and an account of the same name adds its grants.")
  String issuer = "";

  @Option(
      names = "--oidc-audience",
      paramLabel = "NAME",
      description =
          "What the provider's tokens are made out to (default: ${DEFAULT-VALUE}); others are"
              + " refused.")
  String audience = AUDIENCE;

  @Option(
      names = "--oidc-keys",
      paramLabel = "FILE|URL",
      description = "The provider's public keys (default: where its discovery document says).")
  String keys = "";

  @Option(
      names = "--oidc-name-claim",
      paramLabel = "CLAIM",
      description =
          "The claim that names the caller (default: ${DEFAULT-VALUE}); one that nobody chooses for"
              + " themselves.")
  String nameClaim = NAME_CLAIM;

  @Option(
      names = "--rate-limit",
      paramLabel = "N",
      description =
          "Requests a second of one credential, ten seconds of it at once (default:"
              + " ${DEFAULT-VALUE}; 0 for any). Administrators are not held back.")
  int requests = RateLimits.Limits.DEFAULT.requestsPerSecond();

  @Option(
      names = "--record-rate-limit",
      paramLabel = "N",
      description =
          "Changes a second of one record by one credential, a minute of it at once (default:"
              + " ${DEFAULT-VALUE}; 0 for any).")
  int changes = RateLimits.Limits.DEFAULT.changesPerSecond();

  @Option(
      names = "--tenant-rate-limit",
      paramLabel = "N",
      description =
          "Requests a second of one tenant, by whomever; more wait up to a second for their turn"
              + " (default: ${DEFAULT-VALUE}, for any).")
  int tenantRequests;

  /** Keys that come over an unencrypted line can be anybody's. */
  private static void requireUrl(String option, String url) {
    URI uri;
    try {
      uri = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(option + " takes an https address, not " + url, e);
    }
    String host = uri.getHost();
    boolean local = host != null && Checks.isLocal(host);
    if (host == null
        || !("https".equals(uri.getScheme()) || (local && "http".equals(uri.getScheme())))) {
      throw new IllegalArgumentException(option + " takes an https address, not " + url);
    }
  }

  /**
   * Whose tokens to believe; empty for nobody's but the node's own.
   *
   * @throws IllegalArgumentException where the settings cannot be used
   */
  Optional<OpenId.Config> openId() {
    if (issuer.isEmpty()) {
      return Optional.empty();
    }
    requireUrl("--oidc-issuer", issuer);
    if (keys.contains("://")) {
      requireUrl("--oidc-keys", keys);
    } else if (!keys.isEmpty()) {
      OpenId.requireKeys(SettingFile.trusted("--oidc-keys", Path.of(keys)), keys);
    }
    return Optional.of(new OpenId.Config(issuer, audience, keys, nameClaim));
  }

  RateLimits.Limits limits() {
    Checks.requireRange("--rate-limit", requests, 0, RateLimits.PER_SECOND_MAX);
    Checks.requireRange("--record-rate-limit", changes, 0, RateLimits.PER_SECOND_MAX);
    Checks.requireRange("--tenant-rate-limit", tenantRequests, 0, RateLimits.PER_SECOND_MAX);
    return new RateLimits.Limits(requests, changes, tenantRequests);
  }
}
