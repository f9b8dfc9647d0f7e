// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import dev.entente.server.access.OpenId;
import dev.entente.server.access.RateLimits;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Whose tokens a node believes, and how fast their holders may go on. */
final class AccessOptions {
  @Option(
      names = "--oidc-issuer",
      paramLabel = "URL",
      description =
          "An OpenID Connect provider whose tokens are believed; the claim entente lists what they grant, and an account of the same name adds its grants.")
  String issuer = "";

  @Option(
      names = "--oidc-audience",
      paramLabel = "NAME",
      description =
          "What the provider's tokens are made out to (default: ${DEFAULT-VALUE}); others are refused.")
  String audience = "entente";

  @Option(
      names = "--oidc-keys",
      paramLabel = "FILE|URL",
      description = "The provider's public keys (default: where its discovery document says).")
  String keys = "";

  @Option(
      names = "--oidc-name-claim",
      paramLabel = "CLAIM",
      description =
          "The claim that names the caller (default: ${DEFAULT-VALUE}); one that nobody chooses for themselves.")
  String nameClaim = "sub";

  @Option(
      names = "--rate-limit",
      paramLabel = "N",
      description =
          "Requests a second of one credential, ten seconds of it at once (default: ${DEFAULT-VALUE}; 0 for any). Administrators are not held back.")
  int requests = RateLimits.Limits.DEFAULT.requestsPerSecond();

  @Option(
      names = "--record-rate-limit",
      paramLabel = "N",
      description =
          "Changes a second of one record by one credential, a minute of it at once (default: ${DEFAULT-VALUE}; 0 for any).")
  int changes = RateLimits.Limits.DEFAULT.changesPerSecond();

  @Option(
      names = "--tenant-rate-limit",
      paramLabel = "N",
      description =
          "Requests a second of one tenant, by whomever; more wait up to a second for their turn (default: ${DEFAULT-VALUE}, for any).")
  int tenantRequests;

  Optional<OpenId.Config> openId() {
    return issuer.isEmpty()
        ? Optional.empty()
        : Optional.of(new OpenId.Config(issuer, audience, keys, nameClaim));
  }

  RateLimits.Limits limits() {
    if (requests < 0 || changes < 0 || tenantRequests < 0) {
      throw new IllegalArgumentException("a rate limit is 0 or more");
    }
    return new RateLimits.Limits(requests, changes, tenantRequests);
  }
}
