// SPDX-License-Identifier: Apache-2.0
package dev.entente.core.vote;

import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

/**
 * Ed25519 keys and signatures as text: keys in their X.509 and PKCS #8 encodings, all in base 64.
 */
public final class Keys {
  private static final String ALGORITHM = "Ed25519";
  private static final int TEXT_MAX = 200;

  private Keys() {}

  /**
   * Signs with a private key.
   *
   * @throws IllegalArgumentException where that is no key
   */
  public static String sign(byte[] message, String privateKey) {
    try {
      PrivateKey key =
          KeyFactory.getInstance(ALGORITHM)
              .generatePrivate(new PKCS8EncodedKeySpec(bytes(privateKey)));
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(key);
      signature.update(message);
      return Base64.getEncoder().encodeToString(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("not an Ed25519 private key", e);
    }
  }

  /** Whether the owner of a public key signed the message. */
  public static boolean isSigned(byte[] message, String signature, String publicKey) {
    try {
      Signature check = Signature.getInstance(ALGORITHM);
      check.initVerify(publicKey(publicKey));
      check.update(message);
      return check.verify(bytes(signature));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }

  /** Whether a text is a public key. */
  public static boolean isPublicKey(String text) {
    try {
      publicKey(text);
      return true;
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }

  private static PublicKey publicKey(String text) throws GeneralSecurityException {
    return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(bytes(text)));
  }

  private static byte[] bytes(String text) {
    if (text.length() > TEXT_MAX) {
      throw new IllegalArgumentException("longer than any key or signature");
    }
    return Base64.getDecoder().decode(text.strip());
  }
}
