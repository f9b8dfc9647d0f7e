// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Checks of a node's certificate before it is used: what clients or other nodes would refuse is
 * found here, and the message of the exception says what to do. A chain is the node's certificate,
 * and those between it and the authority's.
 */
final class CertificateChecks {
  private static final Logger LOG = System.getLogger(CertificateChecks.class.getName());
  private static final byte[] PROBE = {1};

  /** Among the alternative names in a certificate (RFC 5280): a host name, an address. */
  static final int DNS_NAME = 2;

  private static final int IP_ADDRESS = 7;

  /** Among the bits of a key's usage (RFC 5280): it signs certificates. */
  private static final int KEY_CERT_SIGN = 5;

  private final List<X509Certificate> chain;
  private final Path file;

  /**
   * @param file what the chain was read from, for messages
   */
  CertificateChecks(List<X509Certificate> chain, Path file) {
    this.chain = List.copyOf(chain);
    this.file = file;
  }

  /** Checks that a key is that of the first certificate, and each is signed by the next. */
  void requirePair(PrivateKey key, Path keyFile) throws GeneralSecurityException {
    if (!matches(key, chain.getFirst().getPublicKey())) {
      for (X509Certificate later : chain) {
        if (matches(key, later.getPublicKey())) {
          throw new CertificateException(disorder());
        }
      }
      throw new InvalidKeyException(keyFile + " is not the key of the certificate " + file);
    }
    for (int i = 1; i < chain.size(); i++) {
      if (!chain
          .get(i - 1)
          .getIssuerX500Principal()
          .equals(chain.get(i).getSubjectX500Principal())) {
        throw new CertificateException(disorder());
      }
    }
  }

  private String disorder() {
    return "the certificates in "
        + file
        + " are not in order: the node's is first, and each is followed by the one that signed it";
  }

  /** Whether what a key signs is verified by the other. */
  private static boolean matches(PrivateKey own, PublicKey certified)
      throws GeneralSecurityException {
    if (!own.getAlgorithm().equals(certified.getAlgorithm())) {
      return false;
    }
    Signature signature =
        Signature.getInstance(
            switch (own.getAlgorithm()) {
              case "EC" -> "SHA256withECDSA";
              case "RSA" -> "SHA256withRSA";
              default -> own.getAlgorithm();
            });
    signature.initSign(own);
    signature.update(PROBE);
    byte[] signed = signature.sign();
    signature.initVerify(certified);
    signature.update(PROBE);
    return signature.verify(signed);
  }

  /**
   * Checks that clients trust the chain today.
   *
   * @throws IllegalArgumentException where they do not
   */
  void requireTrusted(X509ExtendedTrustManager trust, Path authority) {
    requireCurrent(chain.getFirst(), "the certificate " + file);
    try {
      trust.checkServerTrusted(chain.toArray(X509Certificate[]::new), "UNKNOWN");
    } catch (CertificateException e) {
      throw untrusted(authority, e);
    }
    requireCurrentAuthority(trust, authority);
  }

  /** Whether the certificate names any host; clients that verify it trust it under no other. */
  boolean namesHosts() {
    return !names(chain.getFirst()).isEmpty();
  }

  /**
   * Checks that other nodes trust the chain when this one connects to them.
   *
   * @throws IllegalArgumentException where they do not
   */
  void requireTrustedAsClient(X509ExtendedTrustManager trust, Path authority) {
    try {
      trust.checkClientTrusted(chain.toArray(X509Certificate[]::new), "UNKNOWN");
    } catch (CertificateException e) {
      throw untrusted(authority, e);
    }
  }

  /**
   * Checks that a certificate may sign others (RFC 5280, section 4.2.1.9).
   *
   * @param setting the setting that names the file
   * @throws IllegalArgumentException where it may not
   */
  static void requireAuthority(X509Certificate certificate, String setting, Path file) {
    boolean[] usage = certificate.getKeyUsage();
    if (certificate.getBasicConstraints() < 0 || (usage != null && !usage[KEY_CERT_SIGN])) {
      throw new IllegalArgumentException(
          "%s: %s holds a certificate that may not sign others, that of %s: give the authority's"
                  .formatted(setting, file, certificate.getSubjectX500Principal().getName())
              + " (basicConstraints CA:TRUE, and keyCertSign where it has a keyUsage)");
    }
  }

  private IllegalArgumentException untrusted(Path authority, CertificateException why) {
    return new IllegalArgumentException(
        "the certificate "
            + file
            + " cannot be verified with the authority "
            + authority
            + ": "
            + why.getMessage(),
        why);
  }

  private static void requireCurrent(X509Certificate certificate, String name) {
    try {
      certificate.checkValidity();
    } catch (CertificateExpiredException e) {
      throw new IllegalArgumentException(
          name
              + " expired at "
              + certificate.getNotAfter().toInstant()
              + ": replace it by a valid one",
          e);
    } catch (CertificateNotYetValidException e) {
      throw new IllegalArgumentException(
          name
              + " is not valid before "
              + certificate.getNotBefore().toInstant()
              + ": check the clock, or replace it",
          e);
    }
  }

  /** The platform does not look at the dates of an authority, but clients do. */
  private void requireCurrentAuthority(X509ExtendedTrustManager trust, Path authority) {
    IllegalArgumentException refused = null;
    for (X509Certificate each : trust.getAcceptedIssuers()) {
      if (each.getSubjectX500Principal().equals(chain.getLast().getIssuerX500Principal())) {
        try {
          requireCurrent(each, "the authority " + authority);
          return;
        } catch (IllegalArgumentException e) {
          refused = e;
        }
      }
    }
    if (refused != null) {
      throw refused;
    }
  }

  /**
   * Checks that the certificate names the host by which others reach the node.
   *
   * @throws IllegalArgumentException where it does not
   */
  void requireHost(String setting, String host) {
    if (names(chain.getFirst()).stream().noneMatch(name -> isNamed(host, name))) {
      throw new IllegalArgumentException(
          setting
              + ": the certificate "
              + file
              + " does not name "
              + host
              + ", so no other node can verify it there: sign one whose subjectAltName does");
    }
  }

  private static boolean isNamed(String host, String name) {
    String asked = normal(host);
    String named = normal(name);
    return asked.equals(named)
        || (named.startsWith("*.")
            && asked.indexOf('.') > 0
            && asked.substring(asked.indexOf('.')).equals(named.substring(1)));
  }

  /** A host name in small letters, or an address in the one form that the platform prints. */
  private static String normal(String host) {
    String bare = host.replaceAll("^\\[|]$", "").toLowerCase(Locale.ROOT);
    if (!bare.contains(":") && !bare.matches("[0-9.]+")) {
      return bare;
    }
    try {
      return InetAddress.ofLiteral(bare).getHostAddress();
    } catch (IllegalArgumentException e) {
      return bare;
    }
  }

  /** The host names and addresses in a certificate; clients look at no others. */
  private static List<String> names(X509Certificate certificate) {
    return alternativeNames(certificate, Set.of(DNS_NAME, IP_ADDRESS));
  }

  /**
   * The alternative names of some kinds in a certificate (RFC 5280, section 4.2.1.6); none where
   * they cannot be read.
   */
  static List<String> alternativeNames(X509Certificate certificate, Set<Integer> kinds) {
    try {
      Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
      return alternatives == null
          ? List.of()
          : alternatives.stream()
              .filter(name -> kinds.contains((Integer) name.getFirst()))
              .map(name -> String.valueOf(name.getLast()))
              .toList();
    } catch (CertificateParsingException e) {
      LOG.log(Level.DEBUG, "the names in a certificate cannot be read", e);
      return List.of();
    }
  }
}
