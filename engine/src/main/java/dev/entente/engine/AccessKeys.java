// SPDX-License-Identifier: Apache-2.0
package dev.entente.engine;

import dev.entente.core.codec.VersionCodec;
import dev.entente.core.record.Fingerprint;
import dev.entente.core.record.Proof;
import dev.entente.core.record.Version;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.NamedParameterSpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * The keys that sign what operators decide for all nodes: the records of the reserved tenant
 * (accounts, tokens, freezes, retention), removals of nodes, and erasures. A node signs with a key
 * that is derived from its administrator's token, so nodes with the same token trust each other.
 * Whoever only knows the secret of nodes, or relays, can make no administrator. Of nodes with
 * another administrator the public key is named.
 *
 * <p>Signatures are Ed25519 (RFC 8032). The private key is the output of PBKDF2-HMAC-SHA512 (RFC
 * 8018) over the token, since the public key would let others guess a token that somebody chose. It
 * is derived when it is first needed, which takes a tenth of a second. Thread-safe.
 */
public final class AccessKeys {
  /** Of a node that demands no proof and gives none, for embedding without accounts. */
  public static final AccessKeys NONE = new AccessKeys(Optional.empty(), Set.of());

  private static final byte[] SALT = "entente access key 1".getBytes(StandardCharsets.UTF_8);
  private static final int ITERATIONS = 210_000;

  /** What precedes the 32 bytes of a public key in its X.509 form (RFC 8410). */
  private static final byte[] PUBLIC = HexFormat.of().parseHex("302a300506032b6570032100");

  /** Pairs by their token: a process that serves several nodes derives each once. */
  private static final Map<String, Pair> DERIVED = new ConcurrentHashMap<>();

  private final Optional<String> token;
  private final Set<Fingerprint> trusted;

  private record Pair(PrivateKey secret, Fingerprint name) {}

  private AccessKeys(Optional<String> token, Set<Fingerprint> trusted) {
    this.token = token;
    this.trusted = Set.copyOf(trusted);
  }

  /**
   * The keys of a node.
   *
   * @param token its administrator's token
   * @param trusted the public keys of other nodes' administrators
   */
  public static AccessKeys of(String token, Set<Fingerprint> trusted) {
    return new AccessKeys(Optional.of(token), trusted);
  }

  /**
   * Reads a public key as {@link #text} prints it.
   *
   * @throws IllegalArgumentException where it is none
   */
  public static Fingerprint parse(String text) {
    try {
      byte[] bytes = Base64.getUrlDecoder().decode(text.strip());
      Fingerprint key = Fingerprint.of(bytes);
      var _ = publicKey(key);
      return key;
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new IllegalArgumentException(
          "'"
              + text
              + "' is no access key; it is the accessKey in GET /v1/cluster of a node, 43 letters"
              + " and digits",
          e);
    }
  }

  /** A public key as text: 43 characters of base64url. */
  public static String text(Fingerprint key) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(key.toBytes());
  }

  /** Whether a proof is demanded, and can be given. */
  public boolean isPresent() {
    return token.isPresent();
  }

  /** This node's public key; empty where it has none. */
  public Optional<String> publicKey() {
    return token.map(_ -> text(own().name()));
  }

  private Pair own() {
    return DERIVED.computeIfAbsent(token.orElseThrow(), AccessKeys::derive);
  }

  /** Vouches for a version that this node has numbered. */
  Version prove(Version version) {
    return isPresent()
        ? version.toBuilder().proof(Optional.of(sign(VersionCodec.toBytes(version)))).build()
        : version;
  }

  /** Whether somebody who may do so vouches for a version. */
  public boolean isProven(Version version) {
    return !isPresent()
        || version.proof().filter(proof -> isSigned(statement(version), proof)).isPresent();
  }

  /** The key that has signed a version, as text, trusted or not; empty where none has. */
  static String signerOf(Version version) {
    return version
        .proof()
        .filter(proof -> isSignature(statement(version), proof))
        .map(proof -> text(proof.signer()))
        .orElse("");
  }

  /** What the proof of a version is of. */
  private static byte[] statement(Version version) {
    return VersionCodec.toBytes(version.toBuilder().proof(Optional.empty()).build());
  }

  /** Signs a statement. */
  public Proof sign(byte[] statement) {
    try {
      Pair pair = own();
      Signature signature = Signature.getInstance("Ed25519");
      signature.initSign(pair.secret());
      signature.update(statement);
      byte[] signed = signature.sign();
      return new Proof(
          pair.name(),
          Fingerprint.of(Arrays.copyOf(signed, Fingerprint.BYTES)),
          Fingerprint.of(Arrays.copyOfRange(signed, Fingerprint.BYTES, 2 * Fingerprint.BYTES)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether a statement was signed by a key that is trusted here. */
  public boolean isSigned(byte[] statement, Proof proof) {
    return (trusted.contains(proof.signer()) || proof.signer().equals(own().name()))
        && isSignature(statement, proof);
  }

  private static boolean isSignature(byte[] statement, Proof proof) {
    try {
      Signature signature = Signature.getInstance("Ed25519");
      signature.initVerify(publicKey(proof.signer()));
      signature.update(statement);
      byte[] both = Arrays.copyOf(proof.first().toBytes(), 2 * Fingerprint.BYTES);
      System.arraycopy(proof.second().toBytes(), 0, both, Fingerprint.BYTES, Fingerprint.BYTES);
      return signature.verify(both);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static PublicKey publicKey(Fingerprint key) throws GeneralSecurityException {
    byte[] encoded = Arrays.copyOf(PUBLIC, PUBLIC.length + Fingerprint.BYTES);
    System.arraycopy(key.toBytes(), 0, encoded, PUBLIC.length, Fingerprint.BYTES);
    return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
  }

  private static Pair derive(String token) {
    try {
      PBEKeySpec spec = new PBEKeySpec(token.toCharArray(), SALT, ITERATIONS, 256);
      byte[] seed =
          SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512").generateSecret(spec).getEncoded();
      return pair(seed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The pair of a private key: the generator takes its 32 bytes from the randomness given. */
  private static Pair pair(byte[] seed) throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
    generator.initialize(NamedParameterSpec.ED25519, new Fixed(seed));
    KeyPair pair = generator.generateKeyPair();
    byte[] encoded = pair.getPublic().getEncoded();
    return new Pair(
        pair.getPrivate(),
        Fingerprint.of(Arrays.copyOfRange(encoded, PUBLIC.length, encoded.length)));
  }

  /** The public key of a private one, as text. */
  static String publicKeyOf(byte[] seed) throws GeneralSecurityException {
    return text(pair(seed).name());
  }

  /** Randomness that is given. */
  private static final class Fixed extends SecureRandom {
    private static final long serialVersionUID = 1;

    private final byte[] seed;

    Fixed(byte[] seed) {
      this.seed = seed.clone();
    }

    @Override
    public void nextBytes(byte[] bytes) {
      if (bytes.length != seed.length) {
        throw new IllegalStateException("a private key has " + bytes.length + " bytes");
      }
      System.arraycopy(seed, 0, bytes, 0, seed.length);
    }
  }
}
