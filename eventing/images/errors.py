"""What can go wrong with an image, and is said in words that name the way out.

```
ImageFault
├── UnknownFunction   no manifest describes it
├── NotInstalled      an import or a pin belongs to nothing that is there
└── CommandFailed     pip, apt or the builder; with its last words
    └── NoBuilder     nothing here builds images
```
"""


class ImageFault(Exception):
    """Raised when an image cannot be described or made."""


class UnknownFunction(ImageFault):
    """Raised when no manifest describes a function of that name."""


class NotInstalled(ImageFault):
    """Raised when an import belongs to no distribution, or a distribution has no pin."""


class CommandFailed(ImageFault):
    """Raised with the end of what a program said when it failed."""


class NoBuilder(CommandFailed):
    """Raised when no program that builds images works on this machine."""
