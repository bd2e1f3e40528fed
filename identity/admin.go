package identity

import (
	"context"
	"crypto/sha256"
)

// HasAdmin reports whether there is an administrator.
func (s *Service) HasAdmin(ctx context.Context) (bool, error) { return s.store.HasAdmin(ctx) }

// NewAdminLink makes a one-time token that makes its claimer the administrator, and voids the one before. Only its
// SHA-256 is stored: it is random, so no slower hash is needed.
func (s *Service) NewAdminLink(ctx context.Context) (string, error) {
	token := newLinkToken()
	hash := sha256.Sum256([]byte(token))
	if err := s.store.PutAdminLink(ctx, hash[:]); err != nil {
		return "", err
	}
	return token, nil
}

// ClaimAdmin makes a user the administrator by the one-time token, which is void afterwards. ErrBadAdminToken, ErrNoUser.
func (s *Service) ClaimAdmin(ctx context.Context, id, token string) (User, error) {
	u, err := s.store.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	hash := sha256.Sum256([]byte(token))
	if err := s.store.TakeAdminLink(ctx, hash[:], id); err != nil {
		return User{}, err
	}
	u.Admin = true
	s.changed(Change{User: u})
	return u, nil
}
