// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.KeySourceException;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.ImmutableJWKSet;
import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.entente.core.record.RecordKey;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.nio.file.Path;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Believes tokens that an OpenID Connect provider has signed (JWT, RFC 7519 and 9068): with a key
 * of the provider's own set and an asymmetric algorithm, for this audience, and not over. What they
 * say of other keys ({@code jku}, {@code x5u}) is not looked at, so nothing is fetched for a
 * caller.
 *
 * <p>What the claim {@code entente} lists is granted, and what an account of the same name has. An
 * account that is disabled keeps its holder out. Thread-safe.
 */
public final class OpenId {
  private static final Logger LOG = System.getLogger(OpenId.class.getName());
  private static final int TOKEN_MAX = 16 << 10;
  private static final int ANSWER_BYTES_MAX = 1 << 20;
  private static final int TIMEOUT_MILLIS = 5_000;
  private static final int SKEW_SECONDS = 60;
  private static final String GRANTS = "entente";

  private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
  private final Config config;
  private final Accounts accounts;

  /**
   * Whom to believe.
   *
   * @param issuer the provider, as tokens name it
   * @param audience what tokens for this cluster are made out to
   * @param keys the provider's set of public keys: a file, or an https address; empty to ask the
   *     provider's discovery document
   * @param nameClaim the claim that names the caller; it must be one that nobody chooses for
   *     themselves
   */
  public record Config(String issuer, String audience, String keys, String nameClaim) {}

  /**
   * @param nowMillis the clock, in milliseconds since 1970
   * @throws IOException where the provider's keys cannot be had
   */
  public OpenId(Config config, Accounts accounts, LongSupplier nowMillis) throws IOException {
    this.config = config;
    this.accounts = accounts;
    processor.setJWSTypeVerifier(
        new DefaultJOSEObjectTypeVerifier<>(
            JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(
            Set.of(
                JWSAlgorithm.RS256,
                JWSAlgorithm.RS384,
                JWSAlgorithm.RS512,
                JWSAlgorithm.PS256,
                JWSAlgorithm.PS384,
                JWSAlgorithm.PS512,
                JWSAlgorithm.ES256,
                JWSAlgorithm.ES384,
                JWSAlgorithm.ES512),
            keys(config)));
    DefaultJWTClaimsVerifier<SecurityContext> claims =
        new DefaultJWTClaimsVerifier<>(
            config.audience(),
            new JWTClaimsSet.Builder().issuer(config.issuer()).build(),
            Set.of(config.nameClaim(), "exp")) {
          @Override
          @SuppressWarnings("JavaUtilDate") // The library's own type.
          protected Date currentTime() {
            return new Date(nowMillis.getAsLong());
          }
        };
    claims.setMaxClockSkew(SKEW_SECONDS);
    processor.setJWTClaimsSetVerifier(claims);
  }

  /**
   * Checks a set of public keys.
   *
   * @param text the set, as JSON
   * @param file where it was read, for the message
   * @throws IllegalArgumentException where there is no key in it
   */
  public static void requireKeys(String text, String file) {
    try {
      if (!JWKSet.parse(text).isEmpty()) {
        return;
      }
    } catch (ParseException e) {
      throw new IllegalArgumentException(
          "--oidc-keys: " + file + " is no set of keys (JWKS, JSON with a list keys)", e);
    }
    throw new IllegalArgumentException("--oidc-keys: there is no key in " + file);
  }

  private static JWKSource<SecurityContext> keys(Config config) throws IOException {
    try {
      if (!config.keys().isEmpty() && !config.keys().contains("://")) {
        return new ImmutableJWKSet<>(JWKSet.load(Path.of(config.keys()).toFile()));
      }
      DefaultResourceRetriever retriever =
          new DefaultResourceRetriever(TIMEOUT_MILLIS, TIMEOUT_MILLIS, ANSWER_BYTES_MAX);
      String address = config.keys();
      if (address.isEmpty()) {
        URI discovery =
            URI.create(config.issuer().replaceAll("/+$", "") + "/.well-known/openid-configuration");
        String document = retriever.retrieveResource(discovery.toURL()).getContent();
        address = JSONObjectUtils.getString(JSONObjectUtils.parse(document), "jwks_uri");
      }
      return JWKSourceBuilder.<SecurityContext>create(URI.create(address).toURL(), retriever)
          .retrying(true)
          .build();
    } catch (ParseException | IllegalArgumentException e) {
      throw new IOException("the keys of " + config.issuer() + ": " + e.getMessage(), e);
    }
  }

  /** Whether a token looks like one of a provider. */
  static boolean isForm(String sent) {
    return sent.length() <= TOKEN_MAX && sent.chars().filter(c -> c == '.').count() == 2;
  }

  /** Who sends this token; nobody where it is not to be believed. */
  public Optional<Caller> caller(String sent) {
    if (!isForm(sent)) {
      return Optional.empty();
    }
    try {
      JWTClaimsSet claims = processor.process(sent, null);
      @Nullable String name = claims.getStringClaim(config.nameClaim());
      return name == null || RecordKey.problemWith(name) != null
          ? Optional.empty()
          : caller(name, claims);
    } catch (KeySourceException e) {
      LOG.log(Level.WARNING, "the keys of " + config.issuer() + " cannot be had", e);
      return Optional.empty();
    } catch (ParseException | BadJOSEException | JOSEException | IllegalArgumentException e) {
      LOG.log(Level.DEBUG, "a token was refused", e);
      return Optional.empty();
    }
  }

  private Optional<Caller> caller(String name, JWTClaimsSet claims) throws ParseException {
    Optional<Account> account = accounts.get(name);
    if (account.filter(Account::disabled).isPresent()) {
      return Optional.empty();
    }
    List<Grant> grants = new ArrayList<>();
    granted(claims).forEach(grant -> grants.add(Grant.parse(grant)));
    account.ifPresent(known -> grants.addAll(known.grants()));
    return Optional.of(new Caller(name, grants));
  }

  /** A list, or one text with spaces as scopes are written. */
  private static List<String> granted(JWTClaimsSet claims) throws ParseException {
    return switch (claims.getClaim(GRANTS)) {
      case null -> List.of();
      case String text -> Arrays.stream(text.split(" ")).filter(grant -> !grant.isEmpty()).toList();
      default -> {
        @Nullable List<String> list = claims.getStringListClaim(GRANTS);
        yield list == null ? List.of() : list;
      }
    };
  }
}
